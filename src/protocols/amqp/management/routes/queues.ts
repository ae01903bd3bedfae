import type { Arguments, QueueOutcome, QueueView } from '../../../../core/queue-types.ts';
import { fieldTable, wireName } from '../../arguments.ts';
import { inequivalent, named } from '../../errors.ts';
import { isReserved } from '../../names.ts';
import { checkQueueArguments } from '../../queue-arguments.ts';
import type { DeclarationScope } from '../../services.ts';
import { checkNoStream, declareStream } from '../../stream/stream-queues.ts';
import { demandRight, visibleNamespaces } from '../access.ts';
import { asOnChannel, explanation } from '../as-on-channel.ts';
import { findBindings } from '../bindings-lookup.ts';
import type { Body, Call } from '../call.ts';
import { accessRefused, badRequest, internalError, notFound } from '../http-error.ts';
import { listing, single } from '../listing.ts';
import { CREATED, NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { bindingRow } from '../views/exchange-view.ts';
import {
  QUEUE_BASICS,
  queueBasics,
  queueDetail,
  queueFacts,
  queueRow,
  queueSortKey,
  queueTotals,
} from '../views/queue-view.ts';
import { streamFacts, streamRow, streamSortKey } from '../views/stream-view.ts';
import { findQueue, isStream, type AnyQueue } from '../queue-lookup.ts';
import { QUEUE_MESSAGE_ROUTES } from './queue-messages.ts';

export const QUEUE_ROUTES: readonly Route[] = [
  { path: '/queues', GET: list },
  { path: '/queues/detailed', GET: list },
  { path: '/queues/:vhost', GET: list },
  { path: '/queues/:vhost/:queue', GET: show, PUT: declare, DELETE: remove },
  { path: '/queues/:vhost/:queue/bindings', GET: bindings },
  { path: '/queues/:vhost/:queue/actions', POST: act },
  { path: '/queues/:vhost/:queue/status', GET: show },
  ...QUEUE_MESSAGE_ROUTES,
  // Queues are where they are: there is one node.
  { path: '/rebalance/queues', role: 'administrator', POST: () => NO_CONTENT },
];

function list(call: Call): Reply {
  const { management } = call;
  const all: AnyQueue[] = [];
  for (const namespace of visibleNamespaces(call)) {
    for (const queue of management.queuesIn(namespace)) all.push(queue);
    for (const topic of management.streamsIn(namespace)) all.push(topic);
  }
  return listing<AnyQueue>(call, all, {
    name: ({ name }) => name,
    render: rendererFor(call),
    sortKey: (queue, column) =>
      isStream(queue) ? streamSortKey(queue, column) : queueSortKey(queue, column),
  });
}

function rendererFor(call: Call): (queue: AnyQueue) => ReturnType<typeof queueRow> {
  const { management } = call;
  if (isCheap(call.query('columns'))) {
    return (queue) =>
      isStream(queue) ? streamRow(management, queue) : queueBasics(management, queue);
  }
  if (!call.isTrue('disable_stats')) {
    return (queue) =>
      isStream(queue) ? streamRow(management, queue) : queueRow(management, queue);
  }
  const withTotals = call.isTrue('enable_queue_totals');
  return (queue) => {
    if (isStream(queue)) return streamFacts(management, queue);
    const facts = queueFacts(management, queue);
    return withTotals ? { ...facts, ...queueTotals(queue) } : facts;
  };
}

/** Whether only columns are asked for that can be had without statistics. */
function isCheap(columns: string | null): boolean {
  return columns?.split(',').every((name) => QUEUE_BASICS.includes(name)) === true;
}

function show(call: Call): Reply {
  const { management } = call;
  const queue = findQueue(call);
  if (isStream(queue)) return single(call, streamRow(management, queue));
  return single(call, queueDetail(management, queue));
}

async function declare(call: Call): Promise<Reply> {
  const { management, namespace } = call;
  const body = await call.body();
  const name = call.param('queue');
  demandRight(call, 'configure', 'queue', name);
  const known = management.queues.byName(namespace, name);
  if (known === null && isReserved(name)) throw accessRefused();
  const values = await argumentsOf(call, body, known);
  if (values['queue-type'] === 'stream') {
    const isNew = management.broker.topics.byName(namespace, name) === null;
    await asOnChannel(() => declareStream(scopeOf(call), name, values));
    return isNew ? CREATED : NO_CONTENT;
  }
  if (known === null) await asOnChannel(() => checkNoStream(scopeOf(call), name, values));
  management.services.counters.queuesDeclared++;
  const outcome = await management.queues.declare({
    namespace,
    name,
    durable: body.flag('durable', true),
    autoDelete: body.flag('auto_delete', false),
    exclusiveOwner: null,
    arguments: values,
  });
  return declared(call, name, outcome);
}

/** Arguments in core's words. */
function argumentsOf(call: Call, body: Body, known: QueueView | null): Promise<Arguments> {
  const name = call.param('queue');
  const given = body.object('arguments') as Arguments;
  return asOnChannel(() =>
    checkQueueArguments(
      scopeOf(call),
      name,
      {
        queue: name,
        passive: false,
        durable: body.flag('durable', true),
        exclusive: false,
        autoDelete: body.flag('auto_delete', false),
        noWait: false,
        arguments: fieldTable(given),
      },
      known,
    ),
  );
}

function scopeOf({ management, namespace, vhost }: Call): DeclarationScope {
  return { connection: { namespace, vhost }, services: management.services };
}

function declared(call: Call, name: string, outcome: QueueOutcome): Reply {
  const subject = named('queue', name, call.vhost);
  switch (outcome.status) {
    case 'ok':
      return outcome.created ? CREATED : NO_CONTENT;
    case 'inequivalent':
      throw badRequest(
        explanation(inequivalent(subject, { ...outcome, property: wireName(outcome.property) })),
      );
    case 'locked':
      throw badRequest(`cannot obtain exclusive access to locked ${subject}`);
    case 'invalid-argument':
      throw badRequest(
        `invalid arg '${wireName(outcome.argument)}' for ${subject}: ${outcome.message}`,
      );
    case 'limit':
      throw badRequest(outcome.message);
    case 'failed':
      throw internalError(outcome.message);
    default:
      return outcome satisfies never;
  }
}

async function remove(call: Call): Promise<Reply> {
  const { management, namespace } = call;
  const name = call.param('queue');
  const found = findQueue(call);
  demandRight(call, 'configure', 'queue', name);
  if (isStream(found)) {
    const { status } = await management.broker.topics.delete(namespace, name);
    if (status === 'ok') return NO_CONTENT;
    if (status === 'unknown') throw notFound();
    throw internalError(`stream '${name}' could not be deleted: ${status}`);
  }
  const { status } = await management.queues.delete(namespace, name, {
    ifUnused: call.isTrue('if-unused'),
    ifEmpty: call.isTrue('if-empty'),
  });
  const subject = named('queue', name, call.vhost);
  switch (status) {
    case 'ok':
      return NO_CONTENT;
    case 'unknown':
      throw notFound();
    case 'in-use':
      throw badRequest(`${subject} in use`);
    case 'not-empty':
      throw badRequest(`${subject} not empty`);
    case 'failed':
      throw internalError(`${subject} could not be deleted`);
    default:
      return status satisfies never;
  }
}

function bindings(call: Call): Reply {
  const { management, namespace } = call;
  const queue = findQueue(call);
  const found = findBindings(management, namespace, {
    destinationKind: isStream(queue) ? 'topic' : 'queue',
    destination: queue.name,
  });
  return rows(found.map(bindingRow));
}

async function act(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('action');
  findQueue(call);
  const action = body.text('action');
  // There are no mirrors that could lag behind.
  if (action === 'sync' || action === 'cancel_sync') return NO_CONTENT;
  const queue = findQueue(call);
  if ((action === 'pause' || action === 'resume') && !isStream(queue)) {
    demandRight(call, 'configure', 'queue', queue.name);
    queue.setPaused(action === 'pause');
    return NO_CONTENT;
  }
  throw badRequest(['unknown', action]);
}
