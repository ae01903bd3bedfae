/**
 * What routing costs, without queues: publishing with remembered routes, walks that look at each message, and the
 * trie with many patterns. Nanoseconds of this process for one operation, the best of several rounds.
 *
 *   node --import tsx bench/micro/routing.ts [--only NAME]
 */
import { parseArgs } from 'node:util';
import { SeededRandom, randomBelow } from '../../src/base/random.ts';
import { TopicTrie } from '../../src/core/routing/topic-trie.ts';
import type { QueueSink, SinkOutcome } from '../../src/core/routing/queue-sink.ts';
import { MessageRouter } from '../../src/core/routing/router.ts';
import {
  NAMESPACE,
  RoutingHarness,
  messageOf,
  withHeaders,
} from '../../test/support/routing-harness.ts';

const ROUNDS = 7;
const PATTERNS = 100_000;
const OUTCOME: SinkOutcome = { accepted: 1, rejected: false };

/** Takes everything and does nothing. */
class NoSink implements QueueSink {
  taken = 0;

  targetSet(): object {
    return this;
  }

  publish(): SinkOutcome {
    this.taken++;
    return OUTCOME;
  }

  defer(): SinkOutcome {
    return OUTCOME;
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });

function measure(name: string, operations: number, work: () => void): void {
  if (values.only !== undefined && !name.includes(values.only)) return;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.hrtime.bigint();
    work();
    best = Math.min(best, Number(process.hrtime.bigint() - before));
  }
  console.log(`${name.padEnd(44)} ${(best / operations).toFixed(1).padStart(10)} ns`);
}

async function benchPublishing(): Promise<void> {
  const harness = await RoutingHarness.open();
  const { router, sink } = routerOn(harness);
  const bind = async (source: string, queue: string, key: string, given = {}): Promise<void> => {
    if (!harness.ends.queues.has(queue)) harness.queue(queue);
    const binding = { namespace: NAMESPACE, source, destination: queue, routingKey: key };
    await router.bind({ ...binding, destinationKind: 'queue', arguments: given });
  };
  const declare = (name: string, type: string): unknown =>
    router.declareExchange({
      namespace: NAMESPACE,
      name,
      type,
      durable: false,
      autoDelete: false,
      internal: false,
      arguments: {},
    });
  const keys = Array.from({ length: 1000 }, (_, i) => `sensors.${i}.temp`);
  for (const [i, key] of keys.entries()) {
    await bind('amq.direct', `q${i}`, key);
    await bind('amq.topic', `q${i}`, `sensors.${i}.#`);
  }
  for (let i = 0; i < 10; i++) {
    await bind('amq.fanout', `q${i}`, '');
    await bind('amq.headers', `q${i}`, '', { kind: `k${i}` });
  }
  await declare('hash', 'x-consistent-hash');
  for (let i = 0; i < 10; i++) await bind('hash', `q${i}`, '1');

  const operations = 1_000_000;
  const publish = (name: string, exchange: string, routingKeys: readonly string[]): void => {
    const messages = routingKeys.map((key) =>
      messageOf(exchange, key, withHeaders({ kind: 'k5' })),
    );
    measure(name, operations, () => {
      for (let i = 0; i < operations; i++) {
        router.publish(NAMESPACE, messages[i % messages.length]!);
      }
    });
  };
  publish('default exchange, one queue', '', ['q1']);
  publish('direct, 1 key', 'amq.direct', [keys[0]!]);
  publish('direct, 1,000 keys', 'amq.direct', keys);
  publish('fanout to 10', 'amq.fanout', keys);
  publish('topic, 1,000 keys', 'amq.topic', keys);
  const many = Array.from({ length: 20_000 }, (_, i) => `sensors.${i % 1000}.${i}`);
  publish('topic, 20,000 keys (more than remembered)', 'amq.topic', many);
  publish('consistent hash, 10 queues, 1,000 keys', 'hash', keys);
  if (sink.taken === 0) throw new Error('nothing was published');
  await harness.close();
}

function routerOn(harness: RoutingHarness): { router: MessageRouter; sink: NoSink } {
  const sink = new NoSink();
  const router = new MessageRouter({ ...harness.options, sink });
  router.load();
  return { router, sink };
}

function benchTrie(): void {
  const random = new SeededRandom(1);
  const pattern = (i: number): string => {
    const kind = i % 10;
    if (kind === 0) return `devices.*.r${i}`;
    if (kind === 1) return `devices.d${i}.#`;
    if (kind === 2) return `*.d${i}.*.temp`;
    return `devices.d${i}.room.temp`;
  };
  const subscribers = Array.from({ length: PATTERNS }, (_, i) => ({ pattern: pattern(i) }));
  let trie = new TopicTrie<{ pattern: string }>();
  measure('trie: add one of 100,000', PATTERNS, () => {
    trie = new TopicTrie();
    for (const subscriber of subscribers) trie.add(subscriber.pattern, subscriber);
  });
  const before = process.memoryUsage().heapUsed;
  const kept = new TopicTrie<{ pattern: string }>();
  for (const subscriber of subscribers) kept.add(subscriber.pattern, subscriber);
  const bytes = (process.memoryUsage().heapUsed - before) / PATTERNS;
  console.log(`${'trie: memory of one of 100,000'.padEnd(44)} ${bytes.toFixed(0).padStart(10)} B`);
  const keys = Array.from({ length: 1000 }, () => {
    return `devices.d${randomBelow(random, PATTERNS)}.room.temp`;
  });
  let found = 0;
  measure('trie: match, not remembered', 100_000, () => {
    for (let i = 0; i < 100_000; i++) trie.visit(keys[i % keys.length]!, () => found++);
  });
  measure('trie: match, remembered', 1_000_000, () => {
    for (let i = 0; i < 1_000_000; i++) found += trie.match(keys[i % keys.length]!).length;
  });
  if (found === 0 || kept.size !== PATTERNS) throw new Error('nothing was found');
  measure('trie: remove and add among 100,000', PATTERNS, () => {
    for (const subscriber of subscribers) {
      trie.remove(subscriber.pattern, subscriber);
      trie.add(subscriber.pattern, subscriber);
    }
  });
}

await benchPublishing();
benchTrie();
