import type { ArgumentValue } from '../../../../core/queue-types.ts';
import type { Parameter } from '../../../../core/parameters/parameter-store.ts';
import { vhostOf } from '../../vhost.ts';
import { visibleNamespaces } from '../access.ts';
import type { Call } from '../call.ts';
import { notFound } from '../http-error.ts';
import type { Json } from '../json.ts';
import { json, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { policyRow, vhostLimits } from '../views/security-view.ts';
import { removed, validated } from './outcomes.ts';

export const PARAMETER_ROUTES: readonly Route[] = [
  { path: '/parameters', role: 'policymaker', GET: list },
  { path: '/parameters/:component', role: 'policymaker', GET: list },
  { path: '/parameters/:component/:vhost', role: 'policymaker', GET: list },
  {
    path: '/parameters/:component/:vhost/:name',
    role: 'policymaker',
    GET: show,
    PUT: put,
    DELETE: async (call) => {
      const { parameters } = call.management.broker;
      return removed(
        await parameters.clear(call.namespace, call.param('component'), call.param('name')),
      );
    },
  },
  {
    path: '/global-parameters',
    role: 'policymaker',
    GET: ({ management }) =>
      rows(management.broker.parameters.listGlobal().map((one) => ({ ...one }))),
  },
  {
    path: '/global-parameters/:name',
    role: { GET: 'policymaker', PUT: 'administrator', DELETE: 'administrator' },
    GET: (call) => {
      const found = call.management.broker.parameters.getGlobal(call.param('name'));
      if (found === null) throw notFound();
      return json({ value: found.value, name: found.name });
    },
    PUT: async (call) => {
      const body = await call.body();
      body.demand('value');
      const { parameters } = call.management.broker;
      const value = body.value('value') as ArgumentValue;
      return validated(await parameters.setGlobal(call.param('name'), value));
    },
    DELETE: async (call) =>
      removed(await call.management.broker.parameters.clearGlobal(call.param('name'))),
  },
];

/** Operator policies and limits of virtual hosts are shown among the parameters, as RabbitMQ keeps them there. */
function list(call: Call): Reply {
  const { broker } = call.management;
  const wanted = call.has('component') ? call.param('component') : null;
  const all: Json[] = [];
  for (const namespace of visibleNamespaces(call)) {
    const vhost = vhostOf(namespace);
    all.push(...broker.parameters.list({ namespace }).map(parameterRow));
    for (const policy of broker.policies.list('operator-policy', namespace)) {
      const { vhost: _vhost, name, ...value } = policyRow(policy);
      all.push({ vhost, component: 'operator_policy', name, value });
    }
    const limits = broker.namespaces.get(namespace)?.limits;
    const value = limits === undefined ? {} : vhostLimits(limits);
    if (Object.keys(value).length > 0) {
      all.push({ vhost, component: 'vhost-limits', name: 'limits', value });
    }
  }
  return rows(all.filter(({ component }) => wanted === null || component === wanted));
}

function parameterRow({ namespace, component, name, value }: Parameter): Json {
  return { value, vhost: vhostOf(namespace), component, name };
}

function show(call: Call): Reply {
  const { parameters } = call.management.broker;
  const found = parameters.get(call.namespace, call.param('component'), call.param('name'));
  if (found === null) throw notFound();
  return json(parameterRow(found));
}

async function put(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('value');
  const { parameters } = call.management.broker;
  const outcome = await parameters.set({
    namespace: call.namespace,
    component: call.param('component'),
    name: call.param('name'),
    value: body.value('value') as ArgumentValue,
  });
  return validated(outcome);
}
