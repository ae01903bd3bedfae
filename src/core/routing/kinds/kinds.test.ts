import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  NAMESPACE,
  RoutingHarness,
  messageOf,
  newExchange,
  withBody,
  withHeaders,
} from '../../../../test/support/routing-harness.ts';
import type { ArgumentValue } from '../../queue-types.ts';
import { equalValues } from './headers.ts';

let harness: RoutingHarness;

beforeEach(async () => {
  harness = await RoutingHarness.open();
});

afterEach(() => harness.close());

async function queues(count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, i) => `q${i}`);
  for (const name of names) harness.queue(name);
  return Promise.resolve(names);
}

describe('headers exchange', () => {
  type Headers = Record<string, ArgumentValue>;
  const got = async (pattern: Headers, headers: Headers): Promise<boolean> => {
    harness.queue('q');
    await harness.bind('amq.headers', 'q', '', { arguments: pattern });
    const names = harness.send('amq.headers', '', withHeaders(headers));
    await harness.unbind('amq.headers', 'q', '', { arguments: pattern });
    return names.length === 1;
  };

  it('wants all or any of the headers', async () => {
    const cases: readonly (readonly [Headers, Headers, boolean])[] = [
      [{ a: '1', b: 2 }, { a: '1', b: 2, c: 3 }, true],
      [{ a: '1', b: 2 }, { a: '1' }, false],
      [{ 'x-match': 'any', a: '1', b: 2 }, { a: '1' }, true],
      [{ 'x-match': 'any', a: '1', b: 2 }, { a: '2' }, false],
      [{ 'x-match': 'any' }, { a: '2' }, false],
      [{ 'x-match': 'all' }, {}, true],
      [{}, {}, true],
      [{ a: '1' }, { a: 1 }, false],
      [{ a: true }, { a: 'true' }, false],
      [{ a: 0 }, { a: false }, false],
      [{ a: null }, { a: 'anything' }, true],
      [{ a: null }, {}, false],
      [{ a: [1, { b: 'c' }] }, { a: [1, { b: 'c' }] }, true],
      [{ a: [1, { b: 'c' }] }, { a: [1, { b: 'd' }] }, false],
      [{ 'x-a': '1', b: '2' }, { b: '2' }, true],
      [{ 'x-match': 'all-with-x', 'x-a': '1', b: '2' }, { b: '2' }, false],
      [{ 'x-match': 'all-with-x', 'x-a': '1', b: '2' }, { 'x-a': '1', b: '2' }, true],
      [{ 'x-match': 'any', 'x-a': '1' }, { 'x-a': '1' }, false],
      [{ 'x-match': 'any-with-x', 'x-a': '1' }, { 'x-a': '1' }, true],
    ];
    for (const [pattern, headers, expected] of cases) {
      assert.equal(await got(pattern, headers), expected, JSON.stringify([pattern, headers]));
    }
  });

  it('matches as the plain definition does', async () => {
    const value = fc.constantFrom<ArgumentValue>('1', 1, true, null, '2');
    const table = fc.dictionary(fc.constantFrom('a', 'b', 'x-c'), value);
    const mode = fc.constantFrom('all', 'any', 'all-with-x', 'any-with-x');
    await fc.assert(
      fc.asyncProperty(mode, table, table, async (match, pattern, headers) => {
        const names = Object.keys(pattern).filter(
          (name) => match.endsWith('-with-x') || !name.startsWith('x-'),
        );
        const has = (name: string): boolean =>
          Object.hasOwn(headers, name) &&
          (pattern[name] === null || pattern[name] === headers[name]);
        const expected = match.startsWith('all') ? names.every(has) : names.some(has);
        assert.equal(await got({ ...pattern, 'x-match': match }, headers), expected);
      }),
      { numRuns: 60 },
    );
  });

  it('compares bytes with nothing', () => {
    assert.equal(equalValues('a', Buffer.from('a')), false);
    assert.equal(equalValues({ 0: 97 }, Buffer.from('a')), false);
  });
});

describe('consistent hash exchange', () => {
  const owners = (keys: readonly string[]): Map<string, string> =>
    new Map(keys.map((key) => [key, harness.send('h', key).join()]));
  const keys = Array.from({ length: 4000 }, (_, i) => `key-${i}`);

  it('shares by weight, and keeps a key where it is', async () => {
    await harness.exchange('h', 'x-consistent-hash');
    for (const [i, name] of (await queues(4)).entries()) {
      await harness.bind('h', name, i === 0 ? '3' : '1');
    }
    const first = owners(keys);
    assert.deepEqual(owners(keys), first);
    const share = (name: string): number =>
      [...first.values()].filter((owner) => owner === name).length / keys.length;
    assert(Math.abs(share('q0') - 0.5) < 0.05, `q0: ${share('q0')}`);
    for (const name of ['q1', 'q2', 'q3']) {
      assert(Math.abs(share(name) - 1 / 6) < 0.04, `${name}: ${share(name)}`);
    }
  });

  it('moves only the share of who goes or comes, in whatever order they came', async () => {
    await harness.exchange('h', 'x-consistent-hash');
    const names = await queues(10);
    for (const name of names) await harness.bind('h', name, '10');
    const before = owners(keys);
    await harness.deleteQueue('q3');
    const without = owners(keys);
    for (const key of keys) {
      if (before.get(key) !== 'q3') assert.equal(without.get(key), before.get(key));
      else assert.notEqual(without.get(key), 'q3');
    }
    harness.queue('q3');
    await harness.bind('h', 'q3', '10');
    assert.deepEqual(owners(keys), before);
    const other = await RoutingHarness.open();
    await other.exchange('h', 'x-consistent-hash');
    for (const name of [...names].reverse()) {
      other.queue(name);
      await other.bind('h', name, '10');
    }
    for (const key of keys) assert.equal(other.send('h', key).join(), before.get(key));
    await other.close();
  });

  it('hashes a header or a property instead of the key', async () => {
    await harness.exchange('by-header', 'x-consistent-hash', {
      arguments: { 'hash-header': 'id' },
    });
    await harness.exchange('by-property', 'x-consistent-hash', {
      arguments: { 'hash-property': 'message_id' },
    });
    for (const name of await queues(8)) {
      await harness.bind('by-header', name, '1');
      await harness.bind('by-property', name, '1');
    }
    const reached = (send: (i: number) => readonly string[]): number =>
      new Set(Array.from({ length: 50 }, (_, i) => send(i).join())).size;
    assert.equal(
      reached((i) => harness.send('by-header', `${i}`, withHeaders({ id: 'x' }))),
      1,
    );
    assert(reached((i) => harness.send('by-header', 'k', withHeaders({ id: i }))) > 4);
    const property = (i: number): object => withHeaders({}, { messageId: `m${i}` });
    assert(reached((i) => harness.send('by-property', 'k', property(i))) > 4);
    assert.equal(
      reached((i) => harness.send('by-property', `${i}`)),
      1,
    );
  });

  it('does without bindings', async () => {
    await harness.exchange('h', 'x-consistent-hash');
    assert.deepEqual(harness.send('h', 'k'), []);
    harness.queue('q');
    await harness.bind('h', 'q', '1');
    assert.deepEqual(harness.send('h', 'k'), ['q']);
    await harness.unbind('h', 'q', '1');
    assert.deepEqual(harness.send('h', 'k'), []);
  });
});

describe('exchanges of chance and remainders', () => {
  it('gives each message to one', async () => {
    for (const type of ['x-random', 'x-local-random', 'x-modulus-hash']) {
      await harness.exchange(type, type);
      assert.deepEqual(harness.send(type, 'k'), []);
      for (const name of await queues(5)) await harness.bind(type, name);
      const counts = new Map<string, number>();
      for (let i = 0; i < 500; i++) {
        const names = harness.send(type, `k${i}`);
        assert.equal(names.length, 1);
        counts.set(names[0]!, (counts.get(names[0]!) ?? 0) + 1);
      }
      assert.equal(counts.size, 5, type);
      for (const count of counts.values()) assert(count > 50, `${type}: ${count}`);
    }
    assert.deepEqual(harness.send('x-modulus-hash', 'k'), harness.send('x-modulus-hash', 'k'));
  });
});

describe('recent history exchange', () => {
  const bodies = (): readonly string[] => harness.ends.taken.splice(0).map(({ body }) => body);
  const send = (body: string, headers = {}): void => {
    const message = messageOf('h', 'k', { ...withHeaders(headers), ...withBody(body) });
    harness.router.publish(NAMESPACE, message);
    message.body.fill(0);
  };

  it('sends the last messages to whoever binds', async () => {
    await harness.exchange('h', 'x-recent-history', {
      arguments: { 'x-recent-history-length': 3 },
    });
    for (const body of ['1', '2', '3', '4']) send(body);
    send('secret', { 'x-recent-history-no-store': true });
    harness.queue('q');
    await harness.bind('h', 'q');
    assert.deepEqual(bodies(), ['2', '3', '4']);
    await harness.bind('h', 'q');
    assert.deepEqual(bodies(), []);
    send('5');
    assert.deepEqual(bodies(), ['5']);
    await harness.bind('amq.fanout', 'q');
    await harness.bind('h', 'amq.fanout', '', { destinationKind: 'exchange' });
    assert.deepEqual(bodies(), ['3', '4', '5']);
  });

  it('remembers what comes over other exchanges, and nothing while explaining', async () => {
    await harness.exchange('h', 'x-recent-history');
    await harness.bind('amq.fanout', 'h', '', { destinationKind: 'exchange' });
    harness.router.explain(NAMESPACE, messageOf('amq.fanout', ''));
    harness.router.publish(NAMESPACE, messageOf('amq.fanout', '', withBody('a')));
    harness.queue('q');
    await harness.bind('h', 'q');
    assert.deepEqual(bodies(), ['a']);
  });
});

describe('delayed message exchange', () => {
  beforeEach(async () => {
    await harness.exchange('d', 'x-delayed-message', { arguments: { 'x-delayed-type': 'topic' } });
  });

  it('puts messages with a delay aside, and routes them by the bindings of then', async () => {
    const result = harness.router.publish(NAMESPACE, messageOf('d', 'a.b', { delayMs: 500 }));
    assert.deepEqual({ ...result }, { accepted: 1, matched: 1, rejected: false });
    assert.deepEqual(harness.ends.deferred, [{ exchange: 'd', delayMs: 500 }]);
    harness.queue('q');
    await harness.bind('d', 'q', 'a.#');
    harness.router.publishDue(NAMESPACE, 'd', messageOf('d', 'a.b'));
    assert.deepEqual(harness.ends.names(), ['q']);
    assert.deepEqual(harness.send('d', 'a.c'), ['q']);
    assert.deepEqual(harness.send('d', 'x', { delayMs: 0, furtherKeys: ['a'] }), ['q']);
    assert.equal(harness.router.publishDue(NAMESPACE, 'gone', messageOf('gone', 'a')), null);
  });

  it('delays what comes over other exchanges, too', async () => {
    harness.queue('q');
    await harness.bind('amq.fanout', 'd', '', { destinationKind: 'exchange' });
    await harness.bind('amq.fanout', 'q');
    await harness.bind('d', 'q', '#');
    assert.deepEqual(harness.send('amq.fanout', 'k', { delayMs: 9 }), ['q']);
    assert.deepEqual(harness.ends.deferred, [{ exchange: 'd', delayMs: 9 }]);
  });

  it('wants a type that can be', async () => {
    for (const type of [undefined, 'none', 'x-delayed-message', 5]) {
      const given = type === undefined ? {} : { 'x-delayed-type': type };
      const exchange = newExchange('n', 'x-delayed-message', { arguments: given });
      const outcome = await harness.router.declareExchange(exchange);
      assert.equal(outcome.status, 'invalid-argument');
    }
  });
});
