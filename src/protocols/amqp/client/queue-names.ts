import { get } from 'node:http';
import type { Credentials } from './handshake.ts';

const MANAGEMENT_PORT = 15_672;
const TIMEOUT_MS = 1500;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/**
 * The queues of a virtual host. AMQP cannot tell: this asks the management interface, where it usually is. For hints
 * only; rejects when nobody answers there.
 */
export function queueNames(
  host: string,
  virtualHost: string,
  { user, password }: Credentials,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const request = get({
      host,
      port: MANAGEMENT_PORT,
      path: `/api/queues/${encodeURIComponent(virtualHost)}?columns=name`,
      auth: `${user}:${password}`,
      agent: false,
      timeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (part: string) => {
        text += part;
        if (text.length > ANSWER_BYTES_MAX) request.destroy(new Error('too many queues'));
      });
      response.on('end', () => {
        try {
          const rows = JSON.parse(text) as { readonly name: string }[];
          resolve(rows.map(({ name }) => name));
        } catch (error) {
          reject(error);
        }
      });
    });
  });
}
