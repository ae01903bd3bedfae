import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import type { Arguments } from '../queue-types.ts';

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open();
});

afterEach(() => harness.close());

async function declare(name: string, values: Arguments = {}, namespace = 'default') {
  const outcome = await harness.broker.queues.declare({
    namespace,
    name,
    durable: true,
    autoDelete: false,
    exclusiveOwner: null,
    arguments: values,
  });
  assert(outcome.status === 'ok');
  return outcome.queue;
}

async function set(kind: 'policy' | 'operator-policy', definition: Arguments): Promise<void> {
  const outcome = await harness.broker.policies.set(kind, {
    namespace: 'default',
    name: kind,
    pattern: '^q',
    applyTo: 'queues',
    priority: 0,
    definition,
  });
  assert.equal(outcome.status, 'ok');
}

describe('policies of queues', () => {
  it('count for queues that are there and that come', async () => {
    const before = await declare('q1');
    await set('policy', { 'max-length': 10, 'delayed-retry-min': 50 });
    await set('operator-policy', { 'max-length': 5 });
    const after = await declare('q2', { 'max-length': 7, 'message-ttl': 3 });
    const other = await declare('other');
    for (const queue of [before, after]) {
      assert.equal(queue.policy, 'policy');
      assert.equal(queue.operatorPolicy, 'operator-policy');
      assert.equal(queue.settings.maxLength, 5);
      assert.equal(queue.settings.retryDelayMinMs, 50);
    }
    assert.equal(after.settings.messageTtlMs, 3);
    assert.equal(other.settings.maxLength, Infinity);
    await harness.broker.policies.delete('policy', 'default', 'policy');
    await harness.broker.policies.delete('operator-policy', 'default', 'operator-policy');
    assert.equal(before.settings.maxLength, Infinity);
    assert.equal(after.settings.maxLength, 7);
    assert.equal(before.policy, null);
  });

  it('go with the queues when the namespace is deleted', async () => {
    const { namespaces, queues } = harness.broker;
    await namespaces.put('n');
    for (let i = 0; i < 300; i++) await declare(`q${i}`, {}, 'n');
    const kept = await declare('kept');
    await namespaces.delete('n');
    assert.deepEqual(queues.list('n'), []);
    assert(!kept.gone);
  });
});

describe('the limit of queues of a namespace', () => {
  it('refuses one more', async () => {
    const { namespaces, queues } = harness.broker;
    await namespaces.put('n', { limits: { maxQueues: 1 } });
    await declare('q', {}, 'n');
    const outcome = await queues.declare({
      namespace: 'n',
      name: 'r',
      durable: false,
      autoDelete: false,
      exclusiveOwner: null,
      arguments: {},
    });
    assert.deepEqual(outcome, {
      status: 'limit',
      message: "queue limit in namespace 'n' (1) is reached",
    });
    await declare('q', {}, 'n');
    await namespaces.put('n', { limits: { maxQueues: null } });
    await declare('r', {}, 'n');
  });
});
