import type { ApplyTo, PolicyKind } from '../../../../core/policy/policy-types.ts';
import type { Arguments } from '../../../../core/queue-types.ts';
import { visibleNamespaces } from '../access.ts';
import type { Call } from '../call.ts';
import { badRequest, notFound } from '../http-error.ts';
import { isObject } from '../json.ts';
import { json, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { policyRow } from '../views/security-view.ts';
import { removed, validated } from './outcomes.ts';

export const POLICY_ROUTES: readonly Route[] = [
  ...routesOf('policy', 'policies', 'policymaker'),
  ...routesOf('operator-policy', 'operator-policies', 'administrator'),
];

function routesOf(
  kind: PolicyKind,
  path: string,
  writer: 'policymaker' | 'administrator',
): readonly Route[] {
  return [
    { path: `/${path}`, GET: (call) => list(call, kind) },
    { path: `/${path}/:vhost`, GET: (call) => list(call, kind) },
    {
      path: `/${path}/:vhost/:name`,
      role: { PUT: writer, DELETE: writer },
      GET: (call) => {
        const { policies } = call.management.broker;
        const found = policies.get(kind, call.namespace, call.param('name'));
        if (found === null) throw notFound();
        return json(policyRow(found));
      },
      PUT: (call) => put(call, kind),
      DELETE: async (call) => {
        const { policies } = call.management.broker;
        return removed(await policies.delete(kind, call.namespace, call.param('name')));
      },
    },
  ];
}

function list(call: Call, kind: PolicyKind): Reply {
  const { policies } = call.management.broker;
  return rows(
    visibleNamespaces(call)
      .flatMap((namespace) => policies.list(kind, namespace))
      .map(policyRow),
  );
}

async function put(call: Call, kind: PolicyKind): Promise<Reply> {
  const body = await call.body();
  body.demand('pattern', 'definition');
  const definition = body.value('definition');
  if (!isObject(definition)) throw badRequest('definition: an object expected');
  const outcome = await call.management.broker.policies.set(kind, {
    namespace: call.namespace,
    name: call.param('name'),
    pattern: body.text('pattern'),
    // The store refuses what is none of them.
    applyTo: body.text('apply-to', 'all') as ApplyTo,
    priority: body.integer('priority', 0),
    definition: definition as Arguments,
  });
  return validated(outcome);
}
