import type { Arguments, ArgumentValue } from '../../../../core/queue-types.ts';
import type { ExchangeOutcome } from '../../../../core/routing-types.ts';
import { coreName, wireName } from '../../arguments.ts';
import { inequivalent, named } from '../../errors.ts';
import { isReserved } from '../../names.ts';
import { demandRight, visibleNamespaces } from '../access.ts';
import { explanation } from '../as-on-channel.ts';
import { findBindings } from '../bindings-lookup.ts';
import type { Call } from '../call.ts';
import { accessRefused, badRequest, internalError, notFound } from '../http-error.ts';
import { listing, single } from '../listing.ts';
import { CREATED, NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { bindingRow, exchangeDetail, exchangeRow } from '../views/exchange-view.ts';
import { exchangeName } from './exchange-name.ts';
import { publish } from './publish.ts';

export const EXCHANGE_ROUTES: readonly Route[] = [
  { path: '/exchanges', GET: list },
  { path: '/exchanges/:vhost', GET: list },
  { path: '/exchanges/:vhost/:exchange', GET: show, PUT: declare, DELETE: remove },
  { path: '/exchanges/:vhost/:exchange/publish', POST: publish },
  {
    path: '/exchanges/:vhost/:exchange/bindings/source',
    GET: (call) => {
      const { namespace, name } = known(call);
      return rows(findBindings(call.management, namespace, { source: name }).map(bindingRow));
    },
  },
  {
    path: '/exchanges/:vhost/:exchange/bindings/destination',
    GET: (call) => {
      const { namespace, name } = known(call);
      const filter = { destinationKind: 'exchange', destination: name } as const;
      return rows(call.management.router.bindings(namespace, filter).map(bindingRow));
    },
  },
];

function list(call: Call): Reply {
  const { management } = call;
  const all = visibleNamespaces(call).flatMap((namespace) =>
    management.router.exchanges(namespace),
  );
  return listing(call, all, {
    name: ({ name }) => name,
    render: (exchange) => exchangeRow(management, exchange),
    sortKey: (exchange, column) => (column === 'name' ? exchange.name : undefined),
  });
}

function show(call: Call): Reply {
  return single(call, exchangeDetail(call.management, known(call)));
}

function known(call: Call) {
  const found = call.management.router.exchange(
    call.namespace,
    exchangeName(call.param('exchange')),
  );
  if (found === null) throw notFound();
  return found;
}

async function declare(call: Call): Promise<Reply> {
  const { management, namespace } = call;
  const body = await call.body();
  const name = exchangeName(call.param('exchange'));
  demandRight(call, 'configure', 'exchange', name);
  if (name === '') throw accessRefused();
  if (management.router.exchange(namespace, name) === null && isReserved(name)) {
    throw accessRefused();
  }
  const outcome = await management.router.declareExchange({
    namespace,
    name,
    type: body.text('type', 'direct'),
    durable: body.flag('durable', true),
    autoDelete: body.flag('auto_delete', false),
    internal: body.flag('internal', false),
    arguments: coreArguments(body.object('arguments') as Arguments),
  });
  return declared(call, { name, type: body.text('type', 'direct') }, outcome);
}

function coreArguments(values: Arguments): Arguments {
  const entries = Object.entries(values).map(([name, value]): [string, ArgumentValue] => [
    coreName(name),
    value,
  ]);
  return Object.fromEntries(entries);
}

function declared(
  call: Call,
  { name, type }: { readonly name: string; readonly type: string },
  outcome: ExchangeOutcome,
): Reply {
  const subject = named('exchange', name, call.vhost);
  switch (outcome.status) {
    case 'ok':
      return outcome.created ? CREATED : NO_CONTENT;
    case 'inequivalent':
      throw badRequest(
        explanation(inequivalent(subject, { ...outcome, property: wireName(outcome.property) })),
      );
    case 'unknown-type':
      throw badRequest(`unknown exchange type '${type}'`);
    case 'invalid-argument':
    case 'limit':
      throw badRequest(outcome.message);
    case 'failed':
      throw internalError(outcome.message);
    default:
      return outcome satisfies never;
  }
}

async function remove(call: Call): Promise<Reply> {
  const { management } = call;
  const { namespace, name } = known(call);
  demandRight(call, 'configure', 'exchange', name);
  if (name === '' || isReserved(name)) throw accessRefused();
  const { status } = await management.router.deleteExchange(namespace, name, {
    ifUnused: call.isTrue('if-unused'),
  });
  const subject = named('exchange', name, call.vhost);
  switch (status) {
    case 'ok':
      return NO_CONTENT;
    case 'unknown':
      throw notFound();
    case 'in-use':
      throw badRequest(`${subject} in use`);
    case 'predeclared':
      throw accessRefused();
    case 'failed':
      throw internalError(`${subject} could not be deleted`);
    default:
      return status satisfies never;
  }
}
