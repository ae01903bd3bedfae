import { isIP } from 'node:net';
import type { HonoRequest, MiddlewareHandler } from 'hono';
import { ApiError } from './api-error.ts';

/**
 * Nobody logs in to the admin interface on loopback, so a web page in a browser on the same machine must not be
 * able to use it. Two doors are closed here:
 *
 * - DNS rebinding: a page of evil.example whose name turns to 127.0.0.1 is "same origin", but its Host header
 *   still says evil.example. Only addresses, localhost and configured names are served.
 * - Cross-site requests: browsers mark them (Sec-Fetch-Site), and one that changes something must carry JSON, which
 *   a page may not send to another origin without being allowed to. Nothing here allows it.
 */
export function browserGuard(options: {
  /** Names besides localhost; '*' accepts any (an interface that is open to a network anyway). */
  readonly allowedHosts: readonly string[];
}): MiddlewareHandler {
  const allowed = new Set(options.allowedHosts.map((host) => host.toLowerCase()));
  return async (context, next) => {
    const { req } = context;
    const host = hostName(req.header('host') ?? '');
    if (!allowed.has('*') && !allowed.has(host) && !isLocalName(host)) {
      throw new ApiError(
        'forbidden',
        `host ${host} is not served here; use an address or localhost`,
      );
    }
    const site = req.header('sec-fetch-site');
    if (site === 'cross-site' || site === 'same-site') {
      throw new ApiError('forbidden', 'requests from pages of other origins are not served');
    }
    if (mayCarryBody(req)) {
      const type = req.header('content-type') ?? '';
      if (!/^application\/json\s*(;|$)/i.test(type)) {
        throw new ApiError('invalid-request', 'the body must be application/json');
      }
    }
    await next();
  };
}

/** Without the port; without the brackets of an IPv6 address. */
function hostName(header: string): string {
  const match = /^\[([^\]]*)\](?::\d+)?$/.exec(header) ?? /^([^:]*)(?::\d+)?$/.exec(header);
  return (match?.[1] ?? header).toLowerCase();
}

function isLocalName(host: string): boolean {
  return isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost');
}

/** A DELETE without a body cannot come from another origin either: browsers ask before they send one. */
function mayCarryBody(request: HonoRequest): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return false;
  if (request.method !== 'DELETE') return true;
  const length = Number(request.header('content-length') ?? 0);
  return length > 0 || request.header('transfer-encoding') !== undefined;
}
