import { findPatternDefect } from '../../../../security/pattern/pattern.ts';
import type { Body, Call } from '../call.ts';
import { badRequest, notFound } from '../http-error.ts';
import { json, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { permissionRow, topicPermissionRow } from '../views/security-view.ts';
import { removed, saved } from './outcomes.ts';

export const PERMISSION_ROUTES: readonly Route[] = [
  {
    path: '/permissions',
    role: 'administrator',
    GET: ({ management }) => rows(management.broker.security.permissions.list().map(permissionRow)),
  },
  {
    path: '/permissions/:vhost/:user',
    role: 'administrator',
    freeVhost: true,
    GET: (call) => {
      const { permissions } = call.management.broker.security;
      const found = permissions.get(call.namespace, call.param('user'));
      if (found === null) throw notFound();
      return json(permissionRow(found));
    },
    PUT: put,
    DELETE: async (call) => {
      const { permissions } = call.management.broker.security;
      return removed(await permissions.clear(call.namespace, call.param('user')));
    },
  },
  {
    path: '/topic-permissions',
    role: 'administrator',
    GET: ({ management }) =>
      rows(management.broker.security.permissions.listTopics().map(topicPermissionRow)),
  },
  {
    path: '/topic-permissions/:vhost/:user',
    role: 'administrator',
    freeVhost: true,
    GET: (call) => {
      const found = topicRules(call);
      if (found.length === 0) throw notFound();
      return rows(found.map(topicPermissionRow));
    },
    PUT: putTopic,
    DELETE: async (call) => {
      if (topicRules(call).length === 0) throw notFound();
      return clearTopic(call, null);
    },
  },
  {
    path: '/topic-permissions/:vhost/:user/:exchange',
    role: 'administrator',
    freeVhost: true,
    DELETE: (call) => clearTopic(call, call.param('exchange')),
  },
];

async function put(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('configure', 'write', 'read');
  const { permissions } = call.management.broker.security;
  const outcome = await permissions.set({
    namespace: call.namespace,
    user: call.param('user'),
    configure: patternIn(body, 'configure'),
    write: patternIn(body, 'write'),
    read: patternIn(body, 'read'),
  });
  return saved(outcome);
}

async function putTopic(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('exchange', 'write', 'read');
  const { permissions } = call.management.broker.security;
  const outcome = await permissions.setTopic({
    namespace: call.namespace,
    user: call.param('user'),
    exchange: body.text('exchange'),
    write: patternIn(body, 'write'),
    read: patternIn(body, 'read'),
  });
  return saved(outcome);
}

async function clearTopic(call: Call, exchange: string | null): Promise<Reply> {
  const { permissions } = call.management.broker.security;
  return removed(await permissions.clearTopic(call.namespace, call.param('user'), exchange));
}

function topicRules(call: Call) {
  const { management, namespace } = call;
  const name = call.param('user');
  return management.broker.security.permissions
    .listTopics()
    .filter((rule) => rule.namespace === namespace && rule.user === name);
}

function patternIn(body: Body, name: string): string {
  const pattern = body.text(name);
  const defect = findPatternDefect(pattern);
  if (defect !== null) throw badRequest(['invalid_regexp', pattern, defect]);
  return pattern;
}
