import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useBroker as useJestBroker } from '../../src/testing/jest.ts';
import { useBroker } from '../../src/testing/node-test.ts';
import { useBroker as useVitestBroker } from '../../src/testing/vitest.ts';
import { kafkaOf, numbered, produce } from '../support/kafkajs.ts';

describe('lyrebird/node-test', () => {
  const kafka = useBroker({ settings: { 'kafka.auto_create_partitions': 2 } });

  it('has a broker for each test', async () => {
    await produce(kafkaOf(kafka.broker), 't', numbered('t', 4));
    await kafka.topics.waitForRecords('t', 4);
    assert.equal(kafka.topics.get('t')?.partitions, 2);
    assert.match(kafka.url(), /^kafka:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(kafka.bootstrapServers, kafka.broker.bootstrapServers);
  });

  it('begins with an empty one', () => {
    assert.deepEqual(kafka.topics.list(), []);
    assert.deepEqual(kafka.groups.list(), []);
  });
});

/** A runner like vitest and jest, as far as the helpers see it. */
function fakeRunner() {
  const registered: Record<string, () => Promise<void>> = {};
  const hook = (name: string) => (callback: () => Promise<void>) => {
    registered[name] = callback;
  };
  const hooks = {
    beforeAll: hook('beforeAll'),
    afterAll: hook('afterAll'),
    afterEach: hook('afterEach'),
  };
  return { hooks, run: (name: string) => registered[name]?.() };
}

for (const [name, use] of [
  ['vitest', useVitestBroker],
  ['jest', useJestBroker],
] as const) {
  describe(`lyrebird/${name}`, () => {
    it('starts, resets and closes with hooks that are handed over', async () => {
      const { hooks, run } = fakeRunner();
      const kafka = use({ hooks });
      assert.throws(() => kafka.broker, /inside them/);
      await run('beforeAll');
      await kafka.topics.create('t');
      await run('afterEach');
      assert.deepEqual(kafka.topics.list(), []);
      await run('afterAll');
      assert.throws(() => kafka.bootstrapServers, /inside them/);
    });

    it('finds hooks on the global object, and says what to do without', async () => {
      assert.throws(() => use(), /pass them/);
      const { hooks, run } = fakeRunner();
      Object.assign(globalThis, hooks);
      try {
        const kafka = use({ resetBetweenTests: false });
        await run('beforeAll');
        assert.equal(run('afterEach'), undefined);
        assert.ok(kafka.bootstrapServers.length > 0);
        await run('afterAll');
      } finally {
        for (const hook of Object.keys(hooks)) Reflect.deleteProperty(globalThis, hook);
      }
    });
  });
}
