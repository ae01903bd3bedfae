import { isIPv4 } from 'node:net';
import { LyrebirdError } from '../base/errors.ts';
import type { ListenerSpec } from './options.ts';

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  const mapped = host.startsWith('::ffff:') ? host.slice(7) : host;
  return isIPv4(mapped) && mapped.startsWith('127.');
}

/** Throws LB1004 for a listener that others reach although nobody has to say who they are. */
export function checkExposure(
  listeners: readonly (ListenerSpec & { readonly authenticates?: boolean })[],
  anonymous: 'deny' | 'allow',
): void {
  if (anonymous === 'allow') return;
  const exposed = listeners.find(
    ({ host, authenticates }) => !isLoopback(host) && authenticates !== true,
  );
  if (exposed === undefined) return;
  throw new LyrebirdError(
    'LB1004',
    `listener ${exposed.name} on ${exposed.host} can be reached from other machines, and nobody has to ` +
      'authenticate; set security.anonymous = "allow" to accept that, or listen on 127.0.0.1',
    { details: { listener: exposed.name, host: exposed.host } },
  );
}
