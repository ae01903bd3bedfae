import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { QueueView } from '../queue-types.ts';
import { PolicyApplier } from './policy-applier.ts';
import type { MatchedPolicies } from './policy-types.ts';

interface FakeQueue {
  readonly namespace: string;
  readonly name: string;
  readonly arguments: Record<string, string>;
  gone: boolean;
  policy: string | null;
  operatorPolicy: string | null;
}

let harness: CoreHarness;
let clock: ManualClock;
let queues: FakeQueue[];
let applier: PolicyApplier;

function fake(name: string, type = 'classic'): FakeQueue {
  return {
    namespace: 'default',
    name,
    arguments: { 'queue-type': type },
    gone: false,
    policy: null,
    operatorPolicy: null,
  };
}

function setPolicy(name: string, pattern: string, applyTo: 'queues' | 'quorum_queues' = 'queues') {
  return harness.broker.policies.set('policy', {
    namespace: 'default',
    name,
    pattern,
    applyTo,
    priority: 0,
    definition: { expires: 1 },
  });
}

beforeEach(async () => {
  harness = await CoreHarness.open();
  clock = new ManualClock();
  queues = [];
  const { policies, events } = harness.broker;
  applier = new PolicyApplier({
    policies,
    clock,
    target: {
      list: () => queues as unknown as readonly QueueView[],
      applyPolicies(queue: QueueView, { policy, operatorPolicy }: MatchedPolicies) {
        const own = queues.find(({ name }) => name === queue.name);
        assert(own !== undefined);
        own.policy = policy?.name ?? null;
        own.operatorPolicy = operatorPolicy?.name ?? null;
      },
    },
  });
  events.on('policies-changed', ({ namespace }) => applier.changed(namespace));
});

afterEach(async () => {
  applier.close();
  await harness.close();
});

describe('PolicyApplier', () => {
  it('applies what matches, and takes away what is gone', async () => {
    queues.push(fake('a'), fake('b'), fake('a2', 'quorum'));
    await setPolicy('p', '^a');
    assert.deepEqual(
      queues.map(({ policy }) => policy),
      ['p', null, 'p'],
    );
    await setPolicy('p', '^a', 'quorum_queues');
    assert.deepEqual(
      queues.map(({ policy }) => policy),
      [null, null, 'p'],
    );
    await harness.broker.policies.delete('policy', 'default', 'p');
    assert.deepEqual(
      queues.map(({ policy }) => policy),
      [null, null, null],
    );
  });

  it('spreads many queues over turns, and begins again when policies change meanwhile', async () => {
    for (let i = 0; i < 2_500; i++) queues.push(fake(`q${i}`));
    await setPolicy('p', '.*');
    const count = (name: string) => queues.filter(({ policy }) => policy === name).length;
    assert.equal(count('p'), 1_000);
    await setPolicy('a', '.*');
    for (const queue of queues.slice(-10)) queue.gone = true;
    clock.advance(0);
    while (count('a') < 2_490) clock.advance(1);
    assert.equal(count('p'), 0);
  });
});
