import type { Namespace } from '../../../../core/namespace/namespace-store.ts';
import type { Policy } from '../../../../core/policy/policy-types.ts';
import type { Permission, TopicPermission } from '../../../../security/permission-store.ts';
import type { User } from '../../../../security/user-store.ts';
import { vhostOf } from '../../vhost.ts';
import type { Json } from '../json.ts';

export function userRow({ name, password, tags, limits }: User): Json {
  return {
    name,
    password_hash: password?.hash ?? '',
    hashing_algorithm: `rabbit_password_hashing_${password?.algorithm ?? 'sha256'}`,
    tags,
    limits: userLimits(limits),
  };
}

export function userLimits({ maxConnections, maxChannels }: User['limits']): Json {
  return onlyLimits({ 'max-connections': maxConnections, 'max-channels': maxChannels });
}

export function vhostLimits({ maxConnections, maxQueues }: Namespace['limits']): Json {
  return onlyLimits({ 'max-connections': maxConnections, 'max-queues': maxQueues });
}

function onlyLimits(limits: Readonly<Record<string, number | null>>): Json {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
}

export function permissionRow({ namespace, user, configure, write, read }: Permission): Json {
  return { user, vhost: vhostOf(namespace), configure, write, read };
}

export function topicPermissionRow(permission: TopicPermission): Json {
  const { namespace, user, exchange, write, read } = permission;
  return { user, vhost: vhostOf(namespace), exchange, write, read };
}

export function policyRow({ namespace, name, ...policy }: Policy): Json {
  return {
    vhost: vhostOf(namespace),
    name,
    pattern: policy.pattern,
    'apply-to': policy.applyTo,
    definition: policy.definition,
    priority: policy.priority,
  };
}
