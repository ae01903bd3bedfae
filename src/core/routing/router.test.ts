import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  NAMESPACE,
  RoutingHarness,
  messageOf,
  newBinding,
  newExchange,
  withBody,
} from '../../../test/support/routing-harness.ts';

let harness: RoutingHarness;

beforeEach(async () => {
  harness = await RoutingHarness.open();
});

afterEach(() => harness.close());

describe('publishing', () => {
  it('takes the default exchange to the queue of that name, else to the topic', () => {
    harness.queue('q');
    harness.topic('q');
    harness.topic('t');
    assert.deepEqual(harness.send('', 'q'), ['q']);
    assert.deepEqual(harness.send('', 't'), ['topic t -']);
    assert.deepEqual(harness.send('', 'nobody'), []);
  });

  it('answers null for an exchange that is not there, and says how many got it', async () => {
    const { router } = harness;
    assert.equal(router.publish(NAMESPACE, messageOf('none', 'k')), null);
    const nobody = router.publish(NAMESPACE, messageOf('amq.direct', 'k'));
    assert.deepEqual({ ...nobody }, { accepted: 0, matched: 0, rejected: false });
    for (const name of ['a', 'b']) {
      harness.queue(name);
      await harness.bind('amq.fanout', name);
    }
    const both = router.publish(NAMESPACE, messageOf('amq.fanout', ''));
    assert.deepEqual({ ...both }, { accepted: 2, matched: 2, rejected: false });
    harness.ends.rejecting = true;
    const refused = router.publish(NAMESPACE, messageOf('amq.fanout', ''));
    assert.deepEqual({ ...refused }, { accepted: 0, matched: 2, rejected: true });
  });

  it('has the predeclared exchanges in every namespace', async () => {
    for (const namespace of ['default', 'other']) {
      const exchanges = harness.router.exchanges(namespace);
      assert.deepEqual(
        exchanges.map(
          ({ name, type, internal }) => `${name} ${type}${internal ? ' internal' : ''}`,
        ),
        [
          ' direct',
          'amq.direct direct',
          'amq.fanout fanout',
          'amq.headers headers',
          'amq.match headers',
          'amq.rabbitmq.trace topic internal',
          'amq.topic topic',
        ],
      );
      const outcome = await harness.router.deleteExchange(namespace, 'amq.topic', {});
      assert.equal(outcome.status, 'predeclared');
    }
  });

  it('gives a message to a queue once, however many bindings match', async () => {
    harness.queue('q');
    for (const key of ['a.*', '*.b', '#']) await harness.bind('amq.topic', 'q', key);
    assert.deepEqual(harness.send('amq.topic', 'a.b'), ['q']);
    assert.deepEqual(harness.send('amq.topic', 'a.b', { furtherKeys: ['x', 'a.c'] }), ['q']);
  });

  it('looks at further keys, too', async () => {
    for (const name of ['a', 'b', 'c']) {
      harness.queue(name);
      await harness.bind('amq.direct', name, name);
    }
    assert.deepEqual(harness.send('amq.direct', 'a', { furtherKeys: ['c', 'a'] }), ['a', 'c']);
    assert.deepEqual(harness.send('', 'a', { furtherKeys: ['b', 'none'] }), ['a', 'b']);
  });

  it('goes over exchanges, in cycles as well', async () => {
    const toExchange = { destinationKind: 'exchange' } as const;
    harness.queue('q');
    await harness.exchange('e', 'direct');
    await harness.bind('amq.topic', 'e', 'a.#', toExchange);
    await harness.bind('e', 'amq.topic', 'a.b', toExchange);
    await harness.bind('e', 'e', 'a.b', toExchange);
    await harness.bind('e', 'q', 'a.b');
    assert.deepEqual(harness.send('amq.topic', 'a.b'), ['q']);
    assert.deepEqual(harness.send('e', 'a.b'), ['q']);
    assert.deepEqual(harness.send('amq.topic', 'a.c'), []);
    await harness.unbind('e', 'q', 'a.b');
    assert.deepEqual(harness.send('amq.topic', 'a.b'), []);
  });

  it('passes on to alternates what nothing matches, and ends', async () => {
    harness.queue('q');
    const alternateOf = (name: string): object => ({ arguments: { 'alternate-exchange': name } });
    await harness.exchange('a', 'direct', alternateOf('b'));
    await harness.exchange('b', 'direct', alternateOf('a'));
    assert.deepEqual(harness.send('a', 'k'), []);
    await harness.bind('b', 'q', 'k');
    assert.deepEqual(harness.send('a', 'k'), ['q']);
    assert.deepEqual(harness.send('a', 'other'), []);
    await harness.exchange('c', 'fanout', alternateOf('later'));
    assert.deepEqual(harness.send('c', 'k'), []);
    await harness.exchange('later', 'fanout');
    await harness.bind('later', 'q');
    assert.deepEqual(harness.send('c', 'k'), ['q']);
    await harness.router.deleteExchange(NAMESPACE, 'later', {});
    assert.deepEqual(harness.send('c', 'k'), []);
  });

  it('knows queues behind the default exchange as an alternate when they come', async () => {
    await harness.exchange('a', 'fanout', { arguments: { 'alternate-exchange': '' } });
    assert.deepEqual(harness.send('a', 'q'), []);
    harness.queue('q');
    assert.deepEqual(harness.send('a', 'q'), ['q']);
  });

  it('takes an alternate from a policy, but an argument first', async () => {
    harness.queue('q');
    harness.queue('p');
    await harness.bind('amq.fanout', 'q');
    await harness.exchange('from-policy', 'direct');
    assert.deepEqual(harness.send('from-policy', 'k'), []);
    harness.policies.set('from-policy', 'amq.fanout');
    harness.router.policiesChanged(NAMESPACE);
    assert.deepEqual(harness.send('from-policy', 'k'), ['q']);
    assert.equal(harness.router.exchange(NAMESPACE, 'from-policy')?.policy, 'p');
    await harness.bind('amq.direct', 'p', 'k');
    harness.policies.set('given', 'amq.fanout');
    await harness.exchange('given', 'direct', {
      arguments: { 'alternate-exchange': 'amq.direct' },
    });
    assert.deepEqual(harness.send('given', 'k'), ['p']);
    harness.policies.clear();
    harness.router.policiesChanged(NAMESPACE);
    assert.deepEqual(harness.send('from-policy', 'k'), []);
  });

  it('stands publishing while a queue takes a message', async () => {
    for (const name of ['a', 'b', 'dead']) harness.queue(name);
    await harness.bind('amq.fanout', 'a');
    await harness.bind('amq.fanout', 'b');
    await harness.bind('amq.topic', 'dead', '#');
    await harness.bind('amq.headers', 'a');
    let nested = 0;
    harness.ends.onTake = () => {
      if (nested++ === 0) harness.router.publish(NAMESPACE, messageOf('amq.topic', 'x'));
    };
    const result = harness.router.publish(NAMESPACE, messageOf('amq.fanout', ''));
    assert.deepEqual({ ...result }, { accepted: 2, matched: 2, rejected: false });
    assert.deepEqual(harness.ends.names(), ['a', 'b', 'dead']);
  });

  it('counts what comes in and what goes out', async () => {
    for (const name of ['a', 'b']) {
      harness.queue(name);
      await harness.bind('amq.fanout', name);
    }
    for (let i = 0; i < 3; i++) harness.send('amq.fanout', `k${i}`);
    harness.send('', 'a');
    const { router } = harness;
    assert.deepEqual(router.exchange(NAMESPACE, 'amq.fanout')?.totals, {
      publishedIn: 3,
      publishedOut: 6,
    });
    assert.equal(router.exchange(NAMESPACE, '')?.totals.publishedIn, 1);
  });

  it('makes one target set for the same queues, whichever way leads there', async () => {
    for (const name of ['a', 'b']) harness.queue(name);
    for (const exchange of ['amq.fanout', 'amq.topic', 'amq.headers']) {
      for (const name of exchange === 'amq.topic' ? ['b', 'a'] : ['a', 'b']) {
        await harness.bind(exchange, name, '#');
      }
    }
    const before = harness.ends.targetSets;
    for (const exchange of ['amq.fanout', 'amq.topic', 'amq.headers', 'amq.headers']) {
      assert.deepEqual(harness.send(exchange, 'k'), ['a', 'b']);
    }
    assert.equal(harness.ends.targetSets, before + 1);
  });

  it('carries bodies to topics with the key template of the binding', async () => {
    harness.topic('t');
    await harness.bind('amq.topic', 't', 'a.#', {
      destinationKind: 'topic',
      arguments: { key: '{routing_key}' },
    });
    await harness.bind('amq.topic', 't', '#.b', { destinationKind: 'topic' });
    harness.router.publish(NAMESPACE, messageOf('amq.topic', 'x.b', withBody('hello')));
    assert.deepEqual(harness.ends.taken, [{ to: 'topic t {routing_key}', body: 'hello' }]);
  });
});

describe('explaining', () => {
  it('tells who would get it and by which bindings', async () => {
    for (const name of ['q', 'r']) harness.queue(name);
    await harness.exchange('e', 'x-random', { arguments: { 'alternate-exchange': 'amq.fanout' } });
    await harness.bind('amq.topic', 'e', 'a.#', { destinationKind: 'exchange' });
    const explain = (key: string): unknown =>
      harness.router
        .explain(NAMESPACE, messageOf('amq.topic', key))
        .map(({ destination, via }) => [
          destination,
          via.map((b) => `${b.source}:${b.routingKey}`),
        ]);
    assert.deepEqual(explain('a.b'), []);
    await harness.bind('e', 'q', 'x');
    await harness.bind('e', 'r', 'y');
    assert.deepEqual(explain('a.b'), [
      ['q', ['amq.topic:a.#', 'e:x']],
      ['r', ['amq.topic:a.#', 'e:y']],
    ]);
    assert.deepEqual(explain('b'), []);
    assert.deepEqual(harness.router.explain(NAMESPACE, messageOf('', 'q')), [
      { destination: 'q', via: [] },
    ]);
    assert.deepEqual(harness.ends.taken, []);
  });
});

describe('declaring', () => {
  it('says what exists, what differs and what cannot be', async () => {
    const { router } = harness;
    const declare = async (...args: Parameters<typeof newExchange>): Promise<unknown> => {
      const outcome = await router.declareExchange(newExchange(...args));
      if (outcome.status === 'ok') return outcome.created;
      if (outcome.status !== 'inequivalent') return outcome.status;
      return `${outcome.property} ${outcome.received} ${outcome.current}`;
    };
    assert.equal(await declare('e', 'direct', { durable: true }), true);
    assert.equal(await declare('e', 'direct', { durable: true }), false);
    assert.equal(await declare('e', 'fanout', { durable: true }), 'type fanout direct');
    assert.equal(await declare('e', 'direct'), 'durable false true');
    const autoDelete = { durable: true, autoDelete: true };
    assert.equal(await declare('e', 'direct', autoDelete), 'auto_delete true false');
    const internal = { durable: true, internal: true };
    assert.equal(await declare('e', 'direct', internal), 'internal true false');
    const alternate = { durable: true, arguments: { 'alternate-exchange': 'x' } };
    assert.equal(await declare('e', 'direct', alternate), 'alternate-exchange x none');
    assert.equal(await declare('e', 'direct', { durable: true, arguments: { other: 1 } }), false);
    assert.equal(await declare('amq.topic', 'topic', { durable: true }), false);
    assert.equal(await declare('n', 'nonsense'), 'unknown-type');
    assert.equal(await declare('n', 'x-delayed-message'), 'invalid-argument');
    const contradiction = { arguments: { 'hash-header': 'a', 'hash-property': 'message_id' } };
    assert.equal(await declare('n', 'x-consistent-hash', contradiction), 'invalid-argument');
    const length = { arguments: { 'x-recent-history-length': 0 } };
    assert.equal(await declare('n', 'x-recent-history', length), 'invalid-argument');
    assert.equal(router.exchange(NAMESPACE, 'n'), null);
  });

  it('makes one exchange when it is declared twice at once', async () => {
    const [one, two, other] = await Promise.all([
      harness.router.declareExchange(newExchange('e', 'direct', { durable: true })),
      harness.router.declareExchange(newExchange('e', 'direct', { durable: true })),
      harness.router.declareExchange(newExchange('e', 'fanout')),
    ]);
    assert(one.status === 'ok' && one.created);
    assert(two.status === 'ok' && !two.created);
    assert.equal(other.status, 'inequivalent');
  });

  it('refuses bindings that cannot be', async () => {
    harness.queue('q');
    await harness.exchange('hash', 'x-consistent-hash');
    const bind = async (...args: Parameters<typeof newBinding>): Promise<string> =>
      (await harness.router.bind(newBinding(...args))).status;
    assert.equal(await bind('', 'q'), 'default-exchange');
    assert.equal(await bind('none', 'q'), 'no-source');
    assert.equal(await bind('amq.topic', 'none'), 'no-destination');
    const mode = { arguments: { 'x-match': 'some' } };
    assert.equal(await bind('amq.headers', 'q', '', mode), 'invalid-argument');
    assert.equal(await bind('hash', 'q', 'ten'), 'invalid-argument');
    assert.equal(await bind('hash', 'q', '0'), 'invalid-argument');
    assert.equal(await bind('hash', 'q', '10'), 'ok');
  });

  it('tells bindings apart by key and arguments', async () => {
    harness.queue('q');
    const keys = async (routingKey: string, given: Record<string, string>): Promise<boolean> => {
      const binding = newBinding('amq.headers', 'q', routingKey, { arguments: given });
      const outcome = await harness.router.bind(binding);
      return outcome.status === 'ok' && outcome.changed;
    };
    assert.equal(await keys('', {}), true);
    assert.equal(await keys('', {}), false);
    assert.equal(await keys('a~b/c', {}), true);
    assert.equal(await keys('', { x: '1', y: '2' }), true);
    assert.equal(await keys('', { y: '2', x: '1' }), false);
    assert.equal(await keys('', { x: '1', y: '3' }), true);
    const found = harness.router.bindings(NAMESPACE, { destination: 'q' });
    assert.deepEqual(
      found.slice(0, 2).map(({ propertiesKey }) => propertiesKey),
      ['~', 'a%7Eb%2Fc'],
    );
    assert.equal(new Set(found.map(({ propertiesKey }) => propertiesKey)).size, 4);
  });
});
