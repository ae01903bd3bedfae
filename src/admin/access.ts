import type { Context } from 'hono';
import type { Operation, ResourceType } from '../security/authorizer.ts';
import { ANONYMOUS } from '../security/principal.ts';
import { ApiError } from './api-error.ts';
import type { AdminPorts } from './ports.ts';

const DEFAULT_NAMESPACE = 'default';

/** The namespace a request is about. */
export function namespaceOf(context: Context): string {
  return context.req.query('namespace') ?? DEFAULT_NAMESPACE;
}

/** Asks the authorizer, as every front-end does; throws 'forbidden'. */
export function demand(
  ports: AdminPorts,
  context: Context,
  access: { readonly operation: Operation; readonly resource: ResourceType; readonly name: string },
): void {
  const allowed = ports.broker.authorizer.allows({
    ...access,
    principal: ANONYMOUS,
    host: remoteAddress(context),
    namespace: namespaceOf(context),
  });
  if (!allowed) {
    const what = `${access.operation} ${access.resource} ${access.name}`;
    throw new ApiError('forbidden', `not allowed: ${what}`);
  }
}

function remoteAddress(context: Context): string {
  const env = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return env?.incoming?.socket?.remoteAddress ?? '';
}
