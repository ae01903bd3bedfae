import type { Arguments } from '../../../../core/queue-types.ts';
import { ANONYMOUS } from '../../../../security/principal.ts';
import { hasRole, maySee } from '../access.ts';
import type { Body, Call } from '../call.ts';
import { badRequest, notFound } from '../http-error.ts';
import { listing, single } from '../listing.ts';
import { NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { permissionRow, topicPermissionRow } from '../views/security-view.ts';
import { vhostRow } from '../views/vhost-view.ts';
import { removed, saved } from './outcomes.ts';

const QUEUE_TYPES = ['classic', 'quorum', 'stream'];

export const VHOST_ROUTES: readonly Route[] = [
  { path: '/vhosts', GET: list },
  {
    path: '/vhosts/:vhost',
    role: { GET: 'management', PUT: 'administrator', DELETE: 'administrator' },
    freeVhost: true,
    GET: show,
    PUT: put,
    DELETE: async ({ management, namespace }) =>
      removed(await management.broker.namespaces.delete(namespace)),
  },
  {
    path: '/vhosts/:vhost/permissions',
    role: 'administrator',
    freeVhost: true,
    GET: (call) => {
      known(call);
      const { permissions } = call.management.broker.security;
      return rows(
        permissions
          .list()
          .filter(({ namespace }) => namespace === call.namespace)
          .map(permissionRow),
      );
    },
  },
  {
    path: '/vhosts/:vhost/topic-permissions',
    role: 'administrator',
    freeVhost: true,
    GET: (call) => {
      known(call);
      const { permissions } = call.management.broker.security;
      return rows(
        permissions
          .listTopics()
          .filter(({ namespace }) => namespace === call.namespace)
          .map(topicPermissionRow),
      );
    },
  },
  {
    path: '/vhosts/:vhost/start/:node',
    role: 'administrator',
    freeVhost: true,
    // Virtual hosts do not fail one by one here: what is there is started.
    POST: (call) => {
      known(call);
      return NO_CONTENT;
    },
  },
  {
    path: '/vhosts/:vhost/deletion/protection',
    role: 'administrator',
    freeVhost: true,
    POST: () => {
      throw badRequest('virtual hosts cannot be protected from deletion here');
    },
  },
];

function list(call: Call): Reply {
  const { management, user } = call;
  const visible = management.broker.namespaces
    .list()
    .filter(({ name }) => maySee(management, user, name));
  return listing(call, visible, {
    name: (namespace) => namespace.name,
    render: (namespace) => vhostRow(management, namespace),
  });
}

function show(call: Call): Reply {
  const namespace = known(call);
  if (!maySee(call.management, call.user, namespace.name) && !hasRole(call.user, 'administrator')) {
    throw notFound();
  }
  return single(call, vhostRow(call.management, namespace));
}

async function put(call: Call): Promise<Reply> {
  const { management, namespace, principal } = call;
  const { broker } = management;
  const body = await call.body();
  const outcome = await broker.namespaces.put(namespace, changesOf(body));
  const reply = saved(outcome);
  // Whoever makes a virtual host may use it.
  if (outcome.status === 'ok' && outcome.created && principal !== ANONYMOUS) {
    const all = { configure: '.*', write: '.*', read: '.*' };
    await broker.security.permissions.set({ namespace, user: principal.name, ...all });
  }
  return reply;
}

function changesOf(body: Body) {
  const metadata = body.object('metadata');
  const { description, tags, default_queue_type: metadataType, ...rest } = metadata;
  const type = body.value('default_queue_type') ?? metadataType ?? 'undefined';
  if (typeof type !== 'string' || (type !== 'undefined' && !QUEUE_TYPES.includes(type))) {
    throw badRequest(`Unknown default queue type '${JSON.stringify(type)}'`);
  }
  return {
    description: body.text('description', typeof description === 'string' ? description : ''),
    tags: body.has('tags') ? body.texts('tags') : Array.isArray(tags) ? tags.map(String) : [],
    defaultQueueType: type === 'undefined' ? null : type,
    metadata: rest as Arguments,
    ...(body.has('tracing') ? { tracing: body.flag('tracing', false) } : {}),
  };
}

function known({ management, namespace }: Call) {
  const found = management.broker.namespaces.get(namespace);
  if (found === null) throw notFound();
  return found;
}
