import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openRecords } from '../../base/records.ts';
import {
  CoreHarness,
  NAMESPACE,
  bytesOf,
  partitionOf,
} from '../../../test/support/core-harness.ts';
import {
  messageOf,
  newBinding,
  newExchange,
  withBody,
} from '../../../test/support/routing-harness.ts';
import type { NewQueue, QueueView } from '../queue-types.ts';

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open();
});

afterEach(() => harness.close());

async function queue(name: string, more: Partial<NewQueue> = {}): Promise<QueueView> {
  const outcome = await harness.broker.queues.declare({
    namespace: NAMESPACE,
    name,
    durable: true,
    autoDelete: false,
    exclusiveOwner: null,
    arguments: {},
    ...more,
  });
  assert(outcome.status === 'ok', outcome.status);
  return outcome.queue;
}

/** Resolves when all of the turn is committed. */
function confirmed(): Promise<void> {
  const { queues } = harness.broker;
  return new Promise((resolve, reject) => {
    queues.whenCommitted(queues.ticket, { onCommitted: resolve, onCommitFailed: reject });
  });
}

async function bodiesOf(name: string): Promise<readonly string[]> {
  const topic = harness.broker.topics.byName(NAMESPACE, name);
  assert(topic !== null);
  const bytes = bytesOf(
    await partitionOf(topic, 0).read(0, {
      maxBytes: 1 << 20,
      atLeastOneBatch: true,
      isolation: 'committed',
    }),
  );
  const bodies: string[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
    const records = openRecords(bytes, at, 1 << 20);
    assert(typeof records !== 'string');
    while (records.next()) bodies.push(String(records.value()));
  }
  return bodies;
}

describe('the router of a broker', () => {
  it('brings messages to queues and topics, confirmed by one ticket', async () => {
    const { router } = harness.broker;
    const q = await queue('q');
    await harness.topic('t');
    for (const [kind, name] of [
      ['queue', 'q'],
      ['topic', 't'],
    ] as const) {
      const binding = newBinding('amq.topic', name, 'a.#', { destinationKind: kind });
      assert.equal((await router.bind(binding)).status, 'ok');
    }
    for (const body of ['1', '2']) {
      const message = messageOf('amq.topic', 'a.b', { ...withBody(body), persistent: true });
      assert.equal(router.publish(NAMESPACE, message)?.accepted, 2);
    }
    await confirmed();
    assert.equal(q.counts.ready, 2);
    assert.deepEqual(await bodiesOf('t'), ['1', '2']);
  });

  it('confirms what only topics got when it is committed', async () => {
    await harness.topic('t');
    harness.broker.router.publish(NAMESPACE, messageOf('', 't', withBody('x')));
    await confirmed();
    assert.deepEqual(await bodiesOf('t'), ['x']);
  });

  it('writes to queues and topics in one commit group when asked to', async () => {
    const { router, queues } = harness.broker;
    const q = await queue('q');
    await harness.topic('t');
    queues.atomically(() => {
      router.publish(NAMESPACE, messageOf('', 'q', withBody('x')));
      router.publish(NAMESPACE, messageOf('', 't', withBody('x')));
    });
    await confirmed();
    assert.equal(q.counts.ready, 1);
    assert.deepEqual(await bodiesOf('t'), ['x']);
  });

  it('takes bindings away with the queue or the topic that they led to', async () => {
    const { router, queues, topics } = harness.broker;
    await queue('q');
    await queue('mine', { durable: false, exclusiveOwner: 7 });
    await harness.topic('t');
    await router.bind(newBinding('amq.fanout', 'q'));
    await router.bind(newBinding('amq.fanout', 'mine'));
    await router.bind(newBinding('amq.fanout', 't', '', { destinationKind: 'topic' }));
    assert.equal(router.bindings(NAMESPACE).length, 3);
    queues.connectionClosed(7);
    assert.equal(router.bindings(NAMESPACE).length, 2);
    await queues.delete(NAMESPACE, 'q', {});
    await topics.delete(NAMESPACE, 't');
    assert.deepEqual(router.bindings(NAMESPACE), []);
    assert.equal(router.publish(NAMESPACE, messageOf('amq.fanout', ''))?.matched, 0);
    await harness.engine.meta.txn({ then: [] });
    assert.deepEqual(harness.engine.meta.range('bindings/'), []);
  });

  it('routes dead letters', async () => {
    const { router } = harness.broker;
    const dead = await queue('dead');
    const limited = await queue('limited', {
      arguments: { 'max-length': 1, 'dead-letter-exchange': 'amq.fanout' },
    });
    await router.bind(newBinding('amq.fanout', 'dead'));
    for (let i = 0; i < 3; i++) {
      router.publish(
        NAMESPACE,
        messageOf('', 'limited', { ...withBody(`${i}`), persistent: true }),
      );
    }
    await confirmed();
    await confirmed();
    assert.deepEqual([limited.counts.ready, dead.counts.ready], [1, 2]);
  });

  it('finds alternates in policies', async () => {
    const { router, policies } = harness.broker;
    const q = await queue('q');
    await router.bind(newBinding('amq.fanout', 'q'));
    await router.declareExchange(newExchange('e', 'direct'));
    const outcome = await policies.set('policy', {
      namespace: NAMESPACE,
      name: 'p',
      pattern: '^e$',
      applyTo: 'exchanges',
      priority: 0,
      definition: { 'alternate-exchange': 'amq.fanout' },
    });
    assert.equal(outcome.status, 'ok');
    assert.equal(router.exchange(NAMESPACE, 'e')?.policy, 'p');
    router.publish(NAMESPACE, messageOf('e', 'k', withBody('x')));
    await confirmed();
    assert.equal(q.counts.ready, 1);
  });
});
