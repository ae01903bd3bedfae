import type { NamespaceLimits } from '../../../../core/namespace/namespace-store.ts';
import type { UserLimits } from '../../../../security/user-store.ts';
import { vhostOf } from '../../vhost.ts';
import { visibleNamespaces } from '../access.ts';
import type { Call } from '../call.ts';
import { badRequest, notFound } from '../http-error.ts';
import { NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { userLimits, vhostLimits } from '../views/security-view.ts';
import { saved } from './outcomes.ts';

const VHOST_LIMITS: Readonly<Record<string, keyof NamespaceLimits>> = {
  'max-connections': 'maxConnections',
  'max-queues': 'maxQueues',
};
const USER_LIMITS: Readonly<Record<string, keyof UserLimits>> = {
  'max-connections': 'maxConnections',
  'max-channels': 'maxChannels',
};

export const LIMIT_ROUTES: readonly Route[] = [
  { path: '/vhost-limits', GET: listVhosts },
  { path: '/vhost-limits/:vhost', GET: listVhosts },
  {
    path: '/vhost-limits/:vhost/:name',
    role: 'administrator',
    freeVhost: true,
    PUT: async (call) => putVhost(call, limitOf(await call.body())),
    DELETE: (call) => putVhost(call, null),
  },
  { path: '/user-limits', role: 'administrator', GET: listUsers },
  { path: '/user-limits/:user', role: 'administrator', GET: listUsers },
  {
    path: '/user-limits/:user/:name',
    role: 'administrator',
    PUT: async (call) => putUser(call, limitOf(await call.body())),
    DELETE: (call) => putUser(call, null),
  },
];

function listVhosts(call: Call): Reply {
  const { namespaces } = call.management.broker;
  const all = visibleNamespaces(call).flatMap((name) => {
    const value = vhostLimits(
      namespaces.get(name)?.limits ?? { maxConnections: null, maxQueues: null },
    );
    return Object.keys(value).length === 0 ? [] : [{ vhost: vhostOf(name), value }];
  });
  return rows(all);
}

function listUsers(call: Call): Reply {
  const { users } = call.management.broker.security;
  const wanted = call.has('user') ? call.param('user') : null;
  if (wanted !== null && users.get(wanted) === null) throw notFound();
  const all = users.list().flatMap(({ name, limits }) => {
    const value = userLimits(limits);
    const isShown = wanted === null || wanted === name;
    return !isShown || Object.keys(value).length === 0 ? [] : [{ user: name, value }];
  });
  return rows(all);
}

async function putVhost(call: Call, limit: number | null): Promise<Reply> {
  const name = VHOST_LIMITS[call.param('name')];
  if (name === undefined) throw unrecognised(call.param('name'), limit);
  const { namespaces } = call.management.broker;
  if (!namespaces.has(call.namespace)) throw notFound();
  saved(await namespaces.put(call.namespace, { limits: { [name]: limit } }));
  return NO_CONTENT;
}

async function putUser(call: Call, limit: number | null): Promise<Reply> {
  const name = USER_LIMITS[call.param('name')];
  if (name === undefined) throw unrecognised(call.param('name'), limit);
  const { users } = call.management.broker.security;
  const user = call.param('user');
  if (users.get(user) === null) throw notFound();
  saved(await users.put(user, { limits: { [name]: limit } }));
  return NO_CONTENT;
}

/** A negative limit is none. */
function limitOf(body: Awaited<ReturnType<Call['body']>>): number | null {
  body.demand('value');
  const value = body.integer('value', -1);
  return value < 0 ? null : value;
}

function unrecognised(name: string, limit: number | null): Error {
  return badRequest(
    `Validation failed\n\nUnrecognised terms [{<<"${name}">>,${limit ?? -1}}] in limits\n`,
  );
}
