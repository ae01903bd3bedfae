import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NAMESPACE, RoutingHarness, messageOf } from '../../../test/support/routing-harness.ts';
import { naiveMatch } from '../../../test/support/naive-topic-match.ts';

const EXCHANGES = ['e0', 'e1', 'e2', 'e3', 'amq.fanout', 'amq.topic'];
const QUEUES = ['q0', 'q1', 'q2'];
const KEYS = ['a', 'b', 'a.b', 'a.b.c', ''];
const PATTERNS = [...KEYS, '*', '#', 'a.*', 'a.#', '#.c', '*.b'];
const TYPES = ['direct', 'fanout', 'topic', 'x-recent-history'];

interface ModelExchange {
  readonly type: string;
  readonly autoDelete: boolean;
  readonly alternate: string | null;
}

interface ModelBinding {
  readonly source: string;
  readonly kind: 'queue' | 'exchange';
  readonly destination: string;
  readonly key: string;
}

/** The rules of routing in the plainest words, without anything remembered. */
class Model {
  readonly exchanges = new Map<string, ModelExchange>([
    ['amq.fanout', { type: 'fanout', autoDelete: false, alternate: null }],
    ['amq.topic', { type: 'topic', autoDelete: false, alternate: null }],
  ]);
  readonly queues = new Set<string>();
  bindings: ModelBinding[] = [];

  route(exchange: string, keys: readonly string[]): readonly string[] {
    const reached = new Set<string>();
    const seen = new Set([exchange]);
    const work = [exchange];
    for (const name of work) {
      const { type, alternate } = this.exchanges.get(name)!;
      const matches = (binding: ModelBinding): boolean =>
        binding.source === name &&
        (type === 'direct'
          ? keys.includes(binding.key)
          : type !== 'topic' || keys.some((key) => naiveMatch(binding.key, key)));
      const matching = this.bindings.filter(matches);
      const next = matching.filter(({ kind }) => kind === 'exchange').map((b) => b.destination);
      if (matching.length === 0 && alternate !== null) next.push(alternate);
      for (const { kind, destination } of matching) if (kind === 'queue') reached.add(destination);
      for (const destination of next) {
        if (!this.exchanges.has(destination) || seen.has(destination)) continue;
        seen.add(destination);
        work.push(destination);
      }
    }
    return [...reached].sort();
  }

  /** Removes bindings, and exchanges that lived as long as those. */
  unbind(gone: (binding: ModelBinding) => boolean): void {
    const removed = this.bindings.filter(gone);
    if (removed.length === 0) return;
    this.bindings = this.bindings.filter((binding) => !gone(binding));
    for (const { source } of removed) {
      const exchange = this.exchanges.get(source);
      if (exchange?.autoDelete !== true) continue;
      if (!this.bindings.some((binding) => binding.source === source)) this.deleteExchange(source);
    }
  }

  deleteExchange(name: string): void {
    this.exchanges.delete(name);
    this.unbind((b) => b.source === name || (b.kind === 'exchange' && b.destination === name));
  }
}

type Step =
  | { readonly do: 'declare'; readonly name: string; readonly exchange: ModelExchange }
  | { readonly do: 'delete-exchange'; readonly name: string }
  | { readonly do: 'queue' | 'delete-queue'; readonly name: string }
  | { readonly do: 'bind' | 'unbind'; readonly binding: ModelBinding };

const own = fc.constantFrom(...EXCHANGES.slice(0, 4));
const anyExchange = fc.constantFrom(...EXCHANGES);
const queue = fc.constantFrom(...QUEUES);
const binding = fc.oneof(
  fc.record({
    source: anyExchange,
    kind: fc.constant('queue' as const),
    destination: queue,
    key: fc.constantFrom(...PATTERNS),
  }),
  fc.record({
    source: anyExchange,
    kind: fc.constant('exchange' as const),
    destination: anyExchange,
    key: fc.constantFrom(...PATTERNS),
  }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('declare' as const),
      name: own,
      exchange: fc.record({
        type: fc.constantFrom(...TYPES),
        autoDelete: fc.boolean(),
        alternate: fc.option(anyExchange, { nil: null }),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-exchange' as const), name: own }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('queue' as const), name: queue }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-queue' as const), name: queue }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('bind' as const), binding }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unbind' as const), binding }) },
);

async function apply(
  step: Step,
  model: Model,
  harness: RoutingHarness,
  durable: boolean,
): Promise<void> {
  switch (step.do) {
    case 'declare': {
      if (model.exchanges.has(step.name)) return;
      model.exchanges.set(step.name, step.exchange);
      const { type, autoDelete, alternate } = step.exchange;
      const given = alternate === null ? {} : { 'alternate-exchange': alternate };
      await harness.exchange(step.name, type, { durable, autoDelete, arguments: given });
      return;
    }
    case 'delete-exchange':
      model.deleteExchange(step.name);
      await harness.router.deleteExchange(NAMESPACE, step.name, {});
      return;
    case 'queue':
      if (!model.queues.has(step.name)) harness.queue(step.name, { durable });
      model.queues.add(step.name);
      return;
    case 'delete-queue':
      if (!model.queues.delete(step.name)) return;
      model.unbind((b) => b.kind === 'queue' && b.destination === step.name);
      await harness.deleteQueue(step.name);
      return;
    default:
      await applyBinding(step, model, harness);
  }
}

async function applyBinding(
  { do: what, binding }: Extract<Step, { readonly binding: ModelBinding }>,
  model: Model,
  harness: RoutingHarness,
): Promise<void> {
  const { source, kind, destination, key } = binding;
  const destinations = kind === 'queue' ? model.queues : model.exchanges;
  if (!model.exchanges.has(source) || !destinations.has(destination)) return;
  const same = (other: ModelBinding): boolean =>
    other.source === source &&
    other.kind === kind &&
    other.destination === destination &&
    other.key === key;
  if (what === 'unbind') {
    model.unbind(same);
    await harness.unbind(source, destination, key, { destinationKind: kind });
    return;
  }
  if (!model.bindings.some(same)) model.bindings.push(binding);
  await harness.bind(source, destination, key, { destinationKind: kind });
  harness.ends.taken.length = 0;
}

function compare(model: Model, harness: RoutingHarness, further: readonly string[] | null): void {
  for (const exchange of model.exchanges.keys()) {
    for (const key of KEYS) {
      const keys = further === null ? [key] : [key, ...further];
      const expected = model.route(exchange, keys);
      const message = messageOf(exchange, key, { furtherKeys: further });
      const result = harness.router.publish(NAMESPACE, message);
      assert.equal(result?.matched, expected.length);
      assert.deepEqual(harness.ends.names(), expected, `${exchange} ${keys.join(' ')}`);
      const explained = harness.router.explain(NAMESPACE, message);
      assert.deepEqual(explained.map(({ destination }) => destination).sort(), expected);
    }
  }
}

describe('routing, beside a naive model', () => {
  for (const durable of [false, true]) {
    it(`agrees about ${durable ? 'durable' : 'transient'} topologies that change`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 5, maxLength: 30 }),
          fc.option(fc.array(fc.constantFrom(...KEYS), { maxLength: 2 }), { nil: null }),
          async (steps, further) => {
            let harness = await RoutingHarness.open();
            const model = new Model();
            for (const next of steps) {
              await apply(next, model, harness, durable);
              compare(model, harness, null);
            }
            compare(model, harness, further);
            assert.equal(harness.router.bindings(NAMESPACE).length, model.bindings.length);
            assert.equal(harness.router.bindingCount, model.bindings.length);
            const { length } = harness.router.exchanges(NAMESPACE);
            assert.equal(harness.router.exchangeCount, length);
            if (durable) {
              harness = harness.restarted();
              compare(model, harness, null);
            }
            await harness.close();
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});
