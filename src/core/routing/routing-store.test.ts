import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  NAMESPACE,
  RoutingHarness,
  newBinding,
  newExchange,
} from '../../../test/support/routing-harness.ts';
import { BINDING_PREFIX, EXCHANGE_PREFIX } from './routing-records.ts';

const TO_EXCHANGE = { destinationKind: 'exchange' } as const;

function records(harness: RoutingHarness): number {
  const { meta } = harness.engine;
  return meta.range(EXCHANGE_PREFIX).length + meta.range(BINDING_PREFIX).length;
}

describe('RoutingStore', () => {
  it('brings back what is durable, with odd names and arguments', async () => {
    let harness = await RoutingHarness.open();
    const odd = 'a/b c%~\n\u{1f426}';
    harness.queue(odd, { durable: true });
    harness.queue('transient');
    harness.queue('exclusive', { durable: true, exclusive: true });
    const given = { 'x-match': 'any', list: [1, 'two', { three: null }] };
    await harness.exchange(odd, 'headers', {
      durable: true,
      autoDelete: true,
      internal: true,
      arguments: { 'alternate-exchange': 'amq.fanout' },
    });
    await harness.exchange('gone', 'fanout');
    await harness.bind(odd, odd, odd, { arguments: given });
    await harness.bind(odd, 'amq.fanout', '', TO_EXCHANGE);
    for (const queue of ['transient', 'exclusive']) await harness.bind('amq.topic', queue, '#');
    await harness.bind('gone', odd, '');
    const before = harness.router.bindings(NAMESPACE, { source: odd });
    assert.deepEqual(
      harness.router.bindings(NAMESPACE).map(({ destination, durable }) => [destination, durable]),
      [
        ['transient', false],
        ['exclusive', false],
        [odd, true],
        ['amq.fanout', true],
        [odd, false],
      ],
    );
    harness = harness.restarted();
    assert.equal(harness.router.exchange(NAMESPACE, 'gone'), null);
    const exchange = harness.router.exchange(NAMESPACE, odd);
    assert(exchange !== null);
    assert.equal(exchange.type, 'headers');
    assert(exchange.durable && exchange.autoDelete && exchange.internal);
    assert.equal(exchange.alternateExchange, 'amq.fanout');
    const view = ({ destination, routingKey, propertiesKey, ...more }: (typeof before)[number]) => {
      return { destination, routingKey, propertiesKey, arguments: more.arguments };
    };
    assert.deepEqual(harness.router.bindings(NAMESPACE).map(view).reverse(), before.map(view));
    await harness.close();
  });

  it('removes the bindings of a queue, and what goes with the last of them', async () => {
    let harness = await RoutingHarness.open();
    harness.queue('q', { durable: true });
    const durable = { durable: true, autoDelete: true };
    for (const name of ['a', 'b', 'c']) await harness.exchange(name, 'fanout', durable);
    await harness.bind('a', 'b', '', TO_EXCHANGE);
    await harness.bind('b', 'c', '', TO_EXCHANGE);
    await harness.bind('c', 'q');
    await harness.bind('amq.topic', 'q', '#');
    assert.deepEqual(harness.send('a', 'k'), ['q']);
    await harness.deleteQueue('q');
    assert.deepEqual(harness.router.bindings(NAMESPACE), []);
    for (const name of ['a', 'b', 'c'])
      assert.equal(harness.router.exchange(NAMESPACE, name), null);
    assert.equal(records(harness), 0);
    harness.queue('q', { durable: true });
    harness = harness.restarted();
    assert.deepEqual(harness.send('amq.topic', 'k'), []);
    await harness.close();
  });

  it('deletes an exchange with the bindings at it', async () => {
    const harness = await RoutingHarness.open();
    harness.queue('q', { durable: true });
    for (const name of ['a', 'b']) await harness.exchange(name, 'fanout', { durable: true });
    await harness.bind('a', 'b', '', TO_EXCHANGE);
    await harness.bind('b', 'q');
    const remove = async (conditions = {}): Promise<string> =>
      (await harness.router.deleteExchange(NAMESPACE, 'b', conditions)).status;
    assert.equal(await remove({ ifUnused: true }), 'in-use');
    assert.equal(await remove(), 'ok');
    assert.equal(await remove(), 'unknown');
    assert.deepEqual(harness.router.bindings(NAMESPACE), []);
    assert.deepEqual(harness.send('a', 'k'), []);
    assert.equal(records(harness), 1);
    await harness.exchange('b', 'direct', { durable: true });
    assert.equal(harness.router.exchange(NAMESPACE, 'b')?.type, 'direct');
    await harness.close();
  });

  it('removes records that lost their ends', async () => {
    let harness = await RoutingHarness.open();
    harness.queue('q', { durable: true });
    harness.queue('p', { durable: true });
    for (const queue of ['p', 'q']) await harness.bind('amq.direct', queue, 'k');
    harness.ends.queues.delete('q');
    harness = harness.restarted();
    assert.deepEqual(harness.send('amq.direct', 'k'), ['p']);
    await harness.engine.meta.txn({ then: [] });
    assert.equal(records(harness), 1);
    await harness.close();
  });

  it('follows changes that others make', async () => {
    const one = await RoutingHarness.open();
    const two = new RoutingHarness(one.engine, one.ends);
    one.queue('q', { durable: true });
    await one.exchange('e', 'direct', { durable: true });
    await one.bind('e', 'q', 'k');
    assert.deepEqual(two.send('e', 'k'), ['q']);
    assert.equal(
      (await two.router.declareExchange(newExchange('e', 'fanout'))).status,
      'inequivalent',
    );
    await two.unbind('e', 'q', 'k');
    assert.deepEqual(one.send('e', 'k'), []);
    await two.router.deleteExchange(NAMESPACE, 'e', {});
    assert.equal(one.router.exchange(NAMESPACE, 'e'), null);
    two.router.close();
    await one.close();
  });

  it('answers the outcome of changes that meet', async () => {
    const harness = await RoutingHarness.open();
    harness.queue('q', { durable: true });
    await harness.exchange('e', 'direct', { durable: true });
    const [deleted, bound] = await Promise.all([
      harness.router.deleteExchange(NAMESPACE, 'e', {}),
      harness.router.bind(newBinding('e', 'q', 'k')),
    ]);
    assert.deepEqual([deleted.status, bound.status], ['ok', 'no-source']);
    assert.equal(records(harness), 0);
    await harness.exchange('e', 'direct', { durable: true });
    const binding = harness.router.bind(newBinding('e', 'q', 'k'));
    await harness.deleteQueue('q');
    assert.equal((await binding).status, 'no-destination');
    await harness.engine.meta.txn({ then: [] });
    assert.equal(records(harness), 1);
    await harness.close();
  });

  it('forgets a namespace', async () => {
    let harness = await RoutingHarness.open();
    harness.queue('q', { durable: true });
    await harness.exchange('e', 'direct', { durable: true });
    await harness.bind('e', 'q', 'k');
    await harness.router.dropNamespace(NAMESPACE);
    assert.equal(harness.router.exchange(NAMESPACE, 'e'), null);
    harness = harness.restarted();
    assert.equal(harness.router.exchange(NAMESPACE, 'e'), null);
    assert.equal(records(harness), 0);
    await harness.close();
  });

  it('bounds how many bindings there are', async () => {
    const open = await RoutingHarness.open();
    open.router.close();
    const harness = new RoutingHarness(open.engine, open.ends, { bindings: 2 });
    harness.queue('q');
    for (const key of ['a', 'b']) await harness.bind('amq.direct', 'q', key);
    const outcome = await harness.router.bind(newBinding('amq.direct', 'q', 'c'));
    assert.equal(outcome.status, 'limit');
    await harness.close();
  });

  it('leaves out what it cannot read, and goes on', async () => {
    let harness = await RoutingHarness.open();
    await harness.exchange('good', 'fanout', { durable: true });
    await harness.engine.meta.txn({
      then: [
        { op: 'put', key: `${EXCHANGE_PREFIX}${NAMESPACE}/bad`, value: '{"type":1}' },
        {
          op: 'put',
          key: `${EXCHANGE_PREFIX}${NAMESPACE}/odd`,
          value: '{"type":"x","arguments":{}}',
        },
        { op: 'put', key: `${BINDING_PREFIX}${NAMESPACE}/x`, value: 'not json' },
      ],
    });
    harness = harness.restarted();
    assert.notEqual(harness.router.exchange(NAMESPACE, 'good'), null);
    assert.equal(harness.router.exchange(NAMESPACE, 'bad'), null);
    await harness.close();
  });
});
