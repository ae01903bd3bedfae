import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import { entityKey, parseEntityKey, type QuotaEntity } from './quota-entity.ts';

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open({ limits: { 'quotas.buckets.max': 3 } });
});

afterEach(() => harness.close());

const user = (name: string) => ({ type: 'User', name });

describe('QuotaRegistry', () => {
  it('holds nobody back without quotas', () => {
    assert.equal(harness.broker.quotas.throttleMs(user('a'), 'c', 'publish-bytes', 1e12), 0);
  });

  it('asks for the time in which the rate earns what was used', async () => {
    const { quotas } = harness.broker;
    await quotas.alter({ user: 'a' }, { 'publish-bytes': 1000 });
    const publish = (bytes: number) => quotas.throttleMs(user('a'), 'c', 'publish-bytes', bytes);
    assert.equal(publish(1000), 0);
    assert.equal(publish(500), 500);
    harness.clock.advance(400);
    assert.equal(publish(0), 100);
    harness.clock.advance(60_000);
    assert.equal(publish(1000), 0);
    assert.equal(publish(1e9), 30_000);
    assert.equal(quotas.throttleMs(user('a'), 'c', 'fetch-bytes', 1e12), 0);
    assert.equal(quotas.throttleMs(user('b'), 'c', 'publish-bytes', 1e12), 0);
  });

  it('takes the most specific rule', async () => {
    const { quotas } = harness.broker;
    const rules: [QuotaEntity, number][] = [
      [{ clientId: null }, 10],
      [{ clientId: 'c' }, 20],
      [{ user: null }, 30],
      [{ user: null, clientId: null }, 40],
      [{ user: null, clientId: 'c' }, 50],
      [{ user: 'a' }, 60],
      [{ user: 'a', clientId: null }, 70],
      [{ user: 'a', clientId: 'c' }, 80],
    ];
    for (const [entity, rate] of rules) {
      assert.deepEqual(await quotas.alter(entity, { mutations: rate }), { status: 'ok' });
      // Twice the burst is one second of debt, whatever the rate is: so the rate in force can be seen.
      assert.equal(
        quotas.throttleMs(user('a'), 'c', 'mutations', rate * 2),
        1000,
        entityKey(entity),
      );
    }
    assert.equal(quotas.describe().length, rules.length);
    for (const [entity] of rules) await quotas.alter(entity, { mutations: null });
    assert.deepEqual(quotas.describe(), []);
  });

  it('meters all clients of a user together, and users under the rule for everybody on their own', async () => {
    const { quotas } = harness.broker;
    await quotas.alter({ user: null }, { mutations: 10 });
    assert.equal(quotas.throttleMs(user('a'), 'c1', 'mutations', 10), 0);
    assert.equal(quotas.throttleMs(user('a'), 'c2', 'mutations', 10), 1000);
    assert.equal(quotas.throttleMs(user('b'), 'c1', 'mutations', 10), 0);
  });

  it('keeps as many meters as it may', async () => {
    const { quotas } = harness.broker;
    await quotas.alter({ user: null }, { mutations: 10 });
    for (let i = 0; i < 10; i++) quotas.throttleMs(user(`u${i}`), '', 'mutations', 1);
    assert.equal(quotas.bucketCount, 3);
  });

  it('refuses what is no entity or no rate', async () => {
    const { quotas } = harness.broker;
    const bad: QuotaEntity[] = [{}, { user: '' }, { address: '::1', user: 'a' }];
    for (const entity of bad) {
      assert.equal((await quotas.alter(entity, { mutations: 1 })).status, 'invalid');
    }
    assert.equal((await quotas.alter({ user: 'a' }, { mutations: -1 })).status, 'invalid');
  });
});

describe('the key of an entity', () => {
  it('tells entities apart and can be read back', () => {
    const name = fc.option(
      fc.oneof(fc.constantFrom('*', ',', '=', 'user=x'), fc.string({ unit: 'grapheme' })),
      {
        nil: null,
      },
    );
    const entity = fc.record({ user: name, clientId: name, address: name }, { requiredKeys: [] });
    fc.assert(
      fc.property(entity, (value) =>
        assert.deepEqual({ ...parseEntityKey(entityKey(value)) }, { ...value }),
      ),
    );
  });
});
