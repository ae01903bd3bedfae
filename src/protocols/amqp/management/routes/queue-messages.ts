import { createDeferred } from '../../../../base/deferred.ts';
import type { Delivery, MessageRef, QueueView, Settlement } from '../../../../core/queue-types.ts';
import { demandRight } from '../access.ts';
import type { Body, Call } from '../call.ts';
import { badRequest, internalError } from '../http-error.ts';
import type { Json } from '../json.ts';
import { MANAGEMENT_LIMITS } from '../limits.ts';
import { findQueue, isStream } from '../queue-lookup.ts';
import { json, NO_CONTENT, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { messageRow, type PayloadOptions } from '../views/message-view.ts';

const SETTLEMENTS: Readonly<Record<string, Settlement>> = {
  ack_requeue_true: 'requeue',
  reject_requeue_true: 'return',
  ack_requeue_false: 'accept',
  reject_requeue_false: 'reject',
};

/** Messages of a queue: looked at, taken, thrown away. */
export const QUEUE_MESSAGE_ROUTES: readonly Route[] = [
  { path: '/queues/:vhost/:queue/contents', DELETE: purge },
  { path: '/queues/:vhost/:queue/get', POST: get },
  { path: '/queues/:vhost/:queue/peek', POST: peek },
];

async function purge(call: Call): Promise<Reply> {
  const queue = plainQueue(call, 'queue.purge');
  demandRight(call, 'read', 'queue', queue.name);
  await queue.purge();
  return NO_CONTENT;
}

async function get(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('ackmode', 'count', 'encoding');
  const queue = plainQueue(call, 'basic.get');
  demandRight(call, 'read', 'queue', queue.name);
  const settlement = SETTLEMENTS[body.text('ackmode')];
  if (settlement === undefined) {
    throw badRequest(`ackmode must be one of ${Object.keys(SETTLEMENTS).join(', ')}`);
  }
  return json(await take(call, queue, settlement, body));
}

/** Takes messages one after the other, and says what becomes of all of them at the end. */
async function take(
  call: Call,
  queue: QueueView,
  settlement: Settlement,
  body: Body,
): Promise<readonly Json[]> {
  const { management } = call;
  const { counters } = management.services;
  const payload = payloadOptions(body);
  const count = countOf(body);
  const taken: Json[] = [];
  const refs: MessageRef[] = [];
  let bytes = 0;
  try {
    while (taken.length < count && bytes < MANAGEMENT_LIMITS.getBytesMax) {
      const waiting = createDeferred<boolean>();
      queue.get({ noAck: false }, (delivery) => {
        if (delivery !== null) {
          refs.push(delivery.ref);
          taken.push(messageRow(management, delivery, payload));
          bytes += delivery.bytes;
        }
        waiting.resolve(delivery !== null);
      });
      if (!(await waiting.promise)) {
        counters.gotEmpty++;
        break;
      }
      counters.got++;
    }
  } finally {
    // Last ones first: those that go back keep their order.
    for (const ref of refs.reverse()) {
      if (!queue.gone) queue.settle(ref, settlement);
    }
  }
  return taken;
}

/** Looks at messages from an offset on without touching them: nothing else has it. */
async function peek(call: Call): Promise<Reply> {
  const body = await call.body();
  const queue = plainQueue(call, 'peek');
  demandRight(call, 'read', 'queue', queue.name);
  const payload = payloadOptions(body);
  const seen: Json[] = [];
  const options = { offset: Math.max(0, body.integer('offset', 0)), limit: countOf(body) };
  await queue.peek(options, (delivery: Delivery) => {
    seen.push(messageRow(call.management, delivery, payload));
  });
  return json(seen);
}

function countOf(body: Body): number {
  const count = body.integer('count', 1);
  if (count < 0) throw badRequest('count must not be negative');
  return Math.min(count, MANAGEMENT_LIMITS.getCountMax);
}

function payloadOptions(body: Body): PayloadOptions {
  const encoding = body.text('encoding', 'auto');
  if (encoding !== 'auto' && encoding !== 'base64') {
    throw badRequest(`Unsupported encoding: ${encoding}`);
  }
  return {
    encoding,
    bytesMax: body.has('truncate') ? Math.max(0, body.integer('truncate', 0)) : Infinity,
  };
}

function plainQueue(call: Call, operation: string): QueueView {
  const queue = findQueue(call);
  if (isStream(queue)) {
    throw badRequest(`540 NOT_IMPLEMENTED - ${operation} not supported by stream queues`);
  }
  if (queue.gone) throw internalError('the queue is gone');
  return queue;
}
