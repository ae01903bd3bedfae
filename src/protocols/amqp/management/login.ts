import { setTimeout as wait } from 'node:timers/promises';
import type { Broker } from '../../../core/broker.ts';
import type { Caller } from './call.ts';
import { HttpError } from './http-error.ts';

const FAILED = (): HttpError => new HttpError(401, 'not_authorized', 'Login failed');

/** Who a request's Authorization header (basic) is from. Throws when that is nobody; then the answer takes its time. */
export async function login(
  { security }: Broker,
  header: string | undefined,
  address: string,
): Promise<Caller> {
  const credentials = /^basic\s+([A-Za-z0-9+/_=-]+)\s*$/i.exec(header ?? '')?.[1];
  if (credentials === undefined) throw FAILED();
  const text = Buffer.from(credentials, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) throw FAILED();
  const name = text.slice(0, colon);
  const outcome = security.logins.checkPassword(name, text.slice(colon + 1), {
    protocol: 'http',
    address,
  });
  if (outcome.status === 'refused') {
    if (outcome.delayMs > 0) await wait(outcome.delayMs);
    throw FAILED();
  }
  const user = security.users.get(name);
  if (user === null) throw FAILED();
  return { user, principal: outcome.principal };
}
