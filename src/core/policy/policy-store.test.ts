import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import { erlangTerm } from './erlang-term.ts';
import type { PolicyStore } from './policy-store.ts';
import type { Policy } from './policy-types.ts';

let harness: CoreHarness;
let policies: PolicyStore;

beforeEach(async () => {
  harness = await CoreHarness.open();
  ({ policies } = harness.broker);
});

afterEach(() => harness.close());

function policy(name: string, changes: Partial<Policy>): Policy {
  return {
    namespace: 'default',
    name,
    pattern: '.*',
    applyTo: 'all',
    priority: 0,
    definition: { 'max-length': 10 },
    ...changes,
  };
}

async function set(
  name: string,
  changes: Partial<Policy>,
  kind: 'policy' | 'operator-policy' = 'policy',
) {
  const outcome = await policies.set(kind, policy(name, changes));
  assert.equal(outcome.status, 'ok', JSON.stringify(outcome));
}

describe('PolicyStore', () => {
  it('puts the matching policy with the highest priority in force', async () => {
    await set('a', { pattern: '^q', priority: 1 });
    await set('b', { pattern: '^q1', priority: 2, definition: { expires: 5 } });
    await set('c', { pattern: '^x', priority: 3 });
    const effective = (name: string) => policies.effective('classic_queue', 'default', name);
    assert.deepEqual(effective('q1'), {
      policy: 'b',
      operatorPolicy: null,
      definition: { expires: 5 },
    });
    assert.equal(effective('q2').policy, 'a');
    assert.equal(effective('z').policy, null);
    assert.equal(policies.effective('classic_queue', 'other', 'q1').policy, null);
    await policies.delete('policy', 'default', 'b');
    assert.equal(effective('q1').policy, 'a');
  });

  it('applies to what it says', async () => {
    await set('queues', { applyTo: 'quorum_queues' });
    await set('exchanges', { applyTo: 'exchanges', definition: { 'alternate-exchange': 'x' } });
    const names = (['classic_queue', 'quorum_queue', 'stream', 'exchange'] as const).map(
      (subject) => policies.effective(subject, 'default', 'n').policy,
    );
    assert.deepEqual(names, [null, 'queues', null, 'exchanges']);
  });

  it('passes over a policy that does not fit the type of a queue', async () => {
    await set('mirrored', { priority: 1, definition: { 'ha-mode': 'all' } });
    await set('plain', { priority: 0 });
    assert.equal(policies.effective('classic_queue', 'default', 'q').policy, 'mirrored');
    assert.equal(policies.effective('quorum_queue', 'default', 'q').policy, 'plain');
  });

  it('bounds numbers by operator policies', async () => {
    await set('p', { definition: { 'max-length': 10, expires: 5, overflow: 'drop-head' } });
    const bounds = { 'max-length': 7, expires: 9, overflow: 'reject-publish', 'message-ttl': 3 };
    await set('o', { definition: bounds }, 'operator-policy');
    assert.deepEqual(policies.effective('classic_queue', 'default', 'q'), {
      policy: 'p',
      operatorPolicy: 'o',
      definition: {
        'max-length': 7,
        expires: 5,
        overflow: 'reject-publish',
        'message-ttl': 3,
      },
    });
  });

  it('tells of changes and counts them', async () => {
    const told: string[] = [];
    harness.broker.events.on('policies-changed', ({ namespace }) => told.push(namespace));
    const before = policies.revision;
    await set('p', {});
    await policies.delete('policy', 'default', 'p');
    assert.deepEqual(told, ['default', 'default']);
    assert.equal(policies.revision, before + 2);
    assert.deepEqual(await policies.delete('policy', 'default', 'p'), {
      status: 'unknown',
      what: 'record',
    });
  });

  const defects: readonly [string, Partial<Policy>, 'policy' | 'operator-policy', RegExp][] = [
    ['empty', { definition: {} }, 'policy', /^no policy provided$/],
    [
      'unknown key',
      { definition: { foo: 'bar', 'max-length': 1, baz: [1] } },
      'policy',
      /^\[\{<<"foo">>,<<"bar">>\},\{<<"baz">>,\[1\]\}\] are not recognised policy settings$/,
    ],
    ['TTL', { definition: { 'message-ttl': -1 } }, 'policy', /^-1 is not a valid message TTL$/],
    ['expiry', { definition: { expires: 0 } }, 'policy', /^0 is not a valid queue expiry$/],
    ['overflow', { definition: { overflow: 'x' } }, 'policy', /^<<"x">> is not a valid overflow/],
    [
      'not for operators',
      { definition: { 'ha-sync-batch-size': 1 } },
      'operator-policy',
      /recognised/,
    ],
    ['pattern', { pattern: '(' }, 'policy', /regular expression/],
    ['priority', { priority: 1.5 }, 'policy', /priority/],
    ['apply-to', { applyTo: 'topics' as 'all' }, 'policy', /^apply-to 'topics' unrecognised/],
  ];
  for (const [what, changes, kind, message] of defects) {
    it(`refuses: ${what}`, async () => {
      const outcome = await policies.set(kind, policy('p', changes));
      assert(outcome.status === 'invalid');
      assert.match(outcome.message, message);
    });
  }

  it('asks for a namespace that exists', async () => {
    assert.deepEqual(await policies.set('policy', policy('p', { namespace: 'x' })), {
      status: 'unknown',
      what: 'namespace',
    });
  });
});

describe('erlangTerm', () => {
  it('writes values as Erlang does', () => {
    assert.equal(erlangTerm('a"b\\'), '<<"a\\"b\\\\">>');
    assert.equal(erlangTerm([1, true, null]), '[1,true,null]');
    assert.equal(erlangTerm({ a: 1.5 }), '[{<<"a">>,1.5}]');
  });
});
