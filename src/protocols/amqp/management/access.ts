import { ANONYMOUS } from '../../../security/principal.ts';
import type { User } from '../../../security/user-store.ts';
import type { Call } from './call.ts';
import { accessRefused, HttpError, notAuthorised, notFound } from './http-error.ts';
import type { Management } from './management.ts';

/** What a user must be for a request; each includes those behind it. */
export type Role = 'administrator' | 'policymaker' | 'monitoring' | 'management' | 'user';

const ROLES: Readonly<Record<Role, { readonly tags: readonly string[]; readonly reason: string }>> =
  {
    administrator: { tags: ['administrator'], reason: 'Not administrator user' },
    policymaker: { tags: ['administrator', 'policymaker'], reason: 'Not policymaker user' },
    monitoring: { tags: ['administrator', 'monitoring'], reason: 'Not monitor user' },
    management: {
      tags: ['administrator', 'monitoring', 'policymaker', 'management'],
      reason: 'Not management user',
    },
    user: { tags: [], reason: '' },
  };

export function hasRole(user: User, role: Role): boolean {
  const { tags } = ROLES[role];
  return role === 'user' || tags.some((tag) => user.tags.includes(tag));
}

export function demandRole(user: User, role: Role): void {
  if (!hasRole(user, role)) throw notAuthorised(ROLES[role].reason);
}

/** Whether the user may look into the virtual host. */
export function maySee({ broker }: Management, user: User, namespace: string): boolean {
  if (hasRole(user, 'monitoring')) return true;
  return broker.security.permissions.get(namespace, user.name) !== null;
}

/** The namespaces the user may look into: the one the path names, or all of them. */
export function visibleNamespaces(call: Call): readonly string[] {
  const { management, user } = call;
  if (call.has('vhost')) return [call.namespace];
  return management.broker.namespaces
    .list()
    .map(({ name }) => name)
    .filter((name) => maySee(management, user, name));
}

/** The virtual host in the path is there, and the user may look into it, or (to change it) was given rights in it. */
export function demandVhost(call: Call): void {
  const { management, user, namespace } = call;
  const { broker } = management;
  if (!broker.namespaces.has(namespace)) {
    if (call.method === 'GET' || call.method === 'HEAD' || call.method === 'DELETE')
      throw notFound();
    throw new HttpError(404, 'not_found', 'vhost_not_found');
  }
  const isRead = call.method === 'GET' || call.method === 'HEAD';
  const allowed = isRead
    ? maySee(management, user, namespace)
    : call.principal === ANONYMOUS ||
      broker.security.permissions.get(namespace, user.name) !== null;
  if (!allowed) throw notAuthorised('User not authorised to access virtual host');
}

/** The user has the right, as on a connection of their own. */
export function demandRight(
  call: Call,
  right: 'configure' | 'write' | 'read',
  kind: 'queue' | 'exchange',
  name: string,
): void {
  const { management, principal, address, namespace } = call;
  const allowed = management.broker.authorizer.allows({
    principal,
    host: address,
    operation: right,
    resource: kind,
    namespace,
    name,
  });
  if (!allowed) throw accessRefused();
}
