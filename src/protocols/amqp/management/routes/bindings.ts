import type { Arguments } from '../../../../core/queue-types.ts';
import type { BindingOutcome, BindingView, NewBinding } from '../../../../core/routing-types.ts';
import { named } from '../../errors.ts';
import { demandRight, visibleNamespaces } from '../access.ts';
import { findBindings } from '../bindings-lookup.ts';
import type { Call } from '../call.ts';
import { accessRefused, badRequest, HttpError, internalError, notFound } from '../http-error.ts';
import { listing } from '../listing.ts';
import { createdAt, json, NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { bindingRow } from '../views/exchange-view.ts';
import { exchangeName } from './exchange-name.ts';

export const BINDING_ROUTES: readonly Route[] = [
  { path: '/bindings', GET: list },
  { path: '/bindings/:vhost', GET: list },
  { path: '/bindings/:vhost/e/:source/:kind/:destination', GET: between, POST: bind },
  { path: '/bindings/:vhost/e/:source/:kind/:destination/:props', GET: show, DELETE: unbind },
];

function list(call: Call): Reply {
  const { management } = call;
  const all = visibleNamespaces(call).flatMap((namespace) => findBindings(management, namespace));
  return listing(call, all, {
    name: ({ source, destination, routingKey }) => `${source} ${destination} ${routingKey}`,
    render: bindingRow,
  });
}

interface Ends {
  readonly source: string;
  readonly destinationKind: BindingView['destinationKind'];
  readonly destination: string;
}

/** Both ends, which must be there. */
function endsOf(call: Call): Ends {
  const { management, namespace, vhost } = call;
  const source = exchangeName(call.param('source'));
  const kind = call.param('kind');
  if (kind !== 'q' && kind !== 'e') throw notFound();
  const name = call.param('destination');
  const missing = (what: 'queue' | 'exchange', missed: string): HttpError =>
    call.method === 'POST'
      ? new HttpError(404, 'not_found', `no ${named(what, missed, vhost)}`)
      : notFound();
  if (management.router.exchange(namespace, source) === null) throw missing('exchange', source);
  if (kind === 'e') {
    const destination = exchangeName(name);
    if (management.router.exchange(namespace, destination) === null) {
      throw missing('exchange', destination);
    }
    return { source, destinationKind: 'exchange', destination };
  }
  if (management.queues.byName(namespace, name) !== null) {
    return { source, destinationKind: 'queue', destination: name };
  }
  if (management.broker.topics.byName(namespace, name) === null) throw missing('queue', name);
  return { source, destinationKind: 'topic', destination: name };
}

function between(call: Call): Reply {
  return rows(found(call, endsOf(call)).map(bindingRow));
}

function found({ management, namespace }: Call, ends: Ends): readonly BindingView[] {
  return findBindings(management, namespace, ends);
}

function show(call: Call): Reply {
  return json(bindingRow(oneOf(call, endsOf(call))));
}

/** The binding that the path names by its properties key: percent-encoded once more, or not. */
function oneOf(call: Call, ends: Ends): BindingView {
  const props = normal(call.param('props'));
  const binding = found(call, ends).find(({ propertiesKey }) => normal(propertiesKey) === props);
  if (binding === undefined) throw notFound();
  return binding;
}

function normal(propertiesKey: string): string {
  try {
    return decodeURIComponent(propertiesKey.replaceAll('+', ' '));
  } catch {
    return propertiesKey;
  }
}

async function bind(call: Call): Promise<Reply> {
  const body = await call.body();
  const ends = endsOf(call);
  checkRights(call, ends);
  const binding: NewBinding = {
    namespace: call.namespace,
    ...ends,
    routingKey: body.text('routing_key'),
    arguments: body.object('arguments') as Arguments,
  };
  expectOk(await call.management.router.bind(binding));
  const made = found(call, ends).find(
    ({ routingKey, arguments: values }) =>
      routingKey === binding.routingKey && isSame(values, binding.arguments),
  );
  const key = made === undefined ? '~' : String(bindingRow(made)['properties_key']);
  return createdAt(`${encodeURIComponent(call.param('destination'))}/${encodeURIComponent(key)}`);
}

async function unbind(call: Call): Promise<Reply> {
  const ends = endsOf(call);
  const binding = oneOf(call, ends);
  checkRights(call, ends);
  expectOk(await call.management.router.unbind(binding));
  return NO_CONTENT;
}

function checkRights(call: Call, { source, destinationKind, destination }: Ends): void {
  if (source === '' || (destinationKind === 'exchange' && destination === '')) {
    throw accessRefused();
  }
  demandRight(call, 'write', destinationKind === 'exchange' ? 'exchange' : 'queue', destination);
  demandRight(call, 'read', 'exchange', source);
}

function expectOk(outcome: BindingOutcome): void {
  switch (outcome.status) {
    case 'ok':
      return;
    case 'no-source':
    case 'no-destination':
      throw notFound();
    case 'default-exchange':
      throw accessRefused();
    case 'invalid-argument':
    case 'limit':
      throw badRequest(outcome.message);
    case 'failed':
      throw internalError(outcome.message);
  }
}

function isSame(a: Arguments, b: Arguments): boolean {
  return sortedText(a) === sortedText(b);
}

function sortedText(values: Arguments): string {
  return JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
