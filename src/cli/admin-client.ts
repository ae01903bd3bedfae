import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ErrorBody } from '../admin/api.ts';
import { CommandError, EXIT, usageError, type ExitCode } from './exit-codes.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:9644';
const TIMEOUT_MS = 30_000;

const EXIT_BY_CODE: Readonly<Record<string, ExitCode>> = {
  'invalid-request': EXIT.usage,
  'not-found': EXIT.notFound,
  exists: EXIT.conflict,
  conflict: EXIT.conflict,
  forbidden: EXIT.permission,
  limit: EXIT.refused,
  'too-large': EXIT.refused,
  unavailable: EXIT.unreachable,
};

/** Requests to the admin API of a running broker. Every failure is a CommandError with the right exit code. */
export class AdminClient {
  private readonly base: string;
  private readonly timeoutMs: number;

  constructor(server: string, timeoutMs = TIMEOUT_MS) {
    const base = server.includes('://') ? server.replace(/^admin:/, 'http:') : `http://${server}`;
    if (!URL.canParse(base) || !/^https?:/.test(base))
      throw usageError(`${server} is not an address`, `for example ${DEFAULT_SERVER}`);
    this.base = base.replace(/\/+$/, '');
    this.timeoutMs = timeoutMs;
  }

  get<T>(path: string): Promise<T> {
    return this.request('GET', path);
  }

  /** Sends a body and returns the answer's. */
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: object): Promise<T> {
    return this.request(method, path, body);
  }

  async delete(path: string): Promise<void> {
    await this.request('DELETE', path);
  }

  private async request<T>(method: string, path: string, body?: object): Promise<T> {
    const { status, text } = await this.exchange(method, path, body);
    if (status < 200 || status > 299) throw this.refusal(status, text);
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new CommandError(EXIT.failure, `${this.base} did not answer with JSON`, {
        hint: 'is it the admin port of a Lyrebird broker?',
      });
    }
  }

  private async exchange(method: string, path: string, body?: object): Promise<Answer> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    // Asked for even without a body: it keeps web pages from sending such requests without a preflight.
    const headers = method === 'GET' ? {} : { 'content-type': 'application/json' };
    const content = body === undefined ? '' : JSON.stringify(body);
    try {
      return await send(
        new URL(`${this.base}/api/v1${path}`),
        { method, headers, signal },
        content,
      );
    } catch (cause) {
      if (signal.aborted) {
        const seconds = this.timeoutMs / 1000;
        throw new CommandError(EXIT.timeout, `${this.base} did not answer within ${seconds} s`, {
          cause,
        });
      }
      const { code, message } = cause as NodeJS.ErrnoException;
      const reason = code ?? message;
      throw new CommandError(
        EXIT.unreachable,
        `cannot reach the broker at ${this.base}: ${reason}`,
        {
          cause,
          hint: 'start one with lyrebird start, or name its admin address with --server or LYREBIRD_SERVER',
        },
      );
    }
  }

  private refusal(status: number, text: string): CommandError {
    let error: ErrorBody['error'] | undefined;
    try {
      error = (JSON.parse(text) as Partial<ErrorBody>).error;
    } catch {
      // Not the admin API's own answer; the status has to do.
    }
    if (error === undefined) {
      return new CommandError(EXIT.failure, `${this.base} answered with status ${status}`);
    }
    const exitCode = EXIT_BY_CODE[error.code] ?? EXIT.failure;
    return new CommandError(exitCode, error.message, { code: error.code });
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One request on a connection of its own. Not fetch: it takes as long to load as everything else together. */
function send(url: URL, options: RequestOptions, content: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    };
    const open = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = open(url, { ...options, agent: false }, onResponse);
    request.on('error', reject);
    request.end(content);
  });
}

/** Joins path parts, each percent-encoded. */
export function apiPath(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}
