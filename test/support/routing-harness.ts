import assert from 'node:assert/strict';
import { SeededRandom } from '../../src/base/random.ts';
import { Message, ORIGIN } from '../../src/core/message/message.ts';
import {
  PropertiesReaders,
  type MessageProperties,
  type PropertiesReader,
} from '../../src/core/message/properties.ts';
import type { ArgumentValue, QueueView } from '../../src/core/queue-types.ts';
import type { QueueSink, SinkOutcome, TargetSet } from '../../src/core/routing/queue-sink.ts';
import { MessageRouter, type RouterOptions } from '../../src/core/routing/router.ts';
import type { NewBinding, NewExchange } from '../../src/core/routing-types.ts';
import type { TopicView } from '../../src/core/types.ts';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.ts';
import type { LogEngine } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { SteppedClock } from './stepped-clock.ts';

export const NAMESPACE = 'default';

/** A queue as routing sees one. */
export interface FakeQueue {
  readonly namespace: string;
  readonly name: string;
  readonly durable: boolean;
  readonly exclusiveOwner: number | null;
  gone: boolean;
}

/** A message that somebody took: where, and its body. */
export interface Taken {
  readonly to: string;
  readonly body: string;
}

/** Queues and topics that write down what they get. */
export class FakeEnds implements QueueSink {
  readonly queues = new Map<string, FakeQueue>();
  readonly topics = new Map<string, TopicView>();
  readonly taken: Taken[] = [];
  readonly deferred: { readonly exchange: string; readonly delayMs: number }[] = [];
  targetSets = 0;
  /** Called for each message that a queue gets, before it is written down. */
  onTake: (() => void) | null = null;
  rejecting = false;

  targetSet(queues: readonly QueueView[]): TargetSet {
    this.targetSets++;
    return queues.map((queue) => queue.name);
  }

  publish(targets: TargetSet, message: Message): SinkOutcome {
    if (this.rejecting) return { accepted: 0, rejected: true };
    this.onTake?.();
    const names = targets as readonly string[];
    for (const to of names) this.taken.push({ to, body: bodyOf(message) });
    return { accepted: names.length, rejected: false };
  }

  defer(_namespace: string, exchange: string, message: Message): SinkOutcome {
    this.deferred.push({ exchange, delayMs: message.delayMs });
    return { accepted: 1, rejected: false };
  }

  /** Takes out what came since the last time, as sorted names. */
  names(): readonly string[] {
    return this.taken
      .splice(0)
      .map(({ to }) => to)
      .sort();
  }
}

/** A router on a metadata store in memory, with queues that only write down. */
export class RoutingHarness {
  readonly ends: FakeEnds;
  readonly engine: LogEngine;
  readonly router: MessageRouter;
  readonly options: RouterOptions;
  readonly readers: PropertiesReaders;
  readonly policies = new Map<string, string>();

  constructor(engine: LogEngine, ends = new FakeEnds(), limits: { bindings?: number } = {}) {
    this.engine = engine;
    this.ends = ends;
    this.readers = new PropertiesReaders();
    this.readers.register(ORIGIN.kafka, jsonProperties);
    this.options = {
      meta: engine.meta,
      logger: silentLogger,
      random: new SeededRandom(7),
      readers: this.readers,
      ends: {
        queue: (_namespace, name) => (ends.queues.get(name) as QueueView | undefined) ?? null,
        topic: (_namespace, name) => ends.topics.get(name) ?? null,
      },
      sink: ends,
      topicSink: {
        publish: (topic, message, key) => {
          const to = `topic ${topic.name} ${key.text === '' ? '-' : key.text}`;
          ends.taken.push({ to, body: bodyOf(message) });
          return true;
        },
      },
      policyOf: (_namespace, name) => {
        const alternateExchange = this.policies.get(name);
        return alternateExchange === undefined ? null : { name: 'p', alternateExchange };
      },
      exchangesMax: () => 1000,
      bindingsMax: () => limits.bindings ?? 1_000_000,
    };
    this.router = new MessageRouter(this.options);
    this.router.load();
  }

  static async open(): Promise<RoutingHarness> {
    const engine = new MemoryEngine({
      clock: new SteppedClock(),
      random: new SeededRandom(2),
      logger: silentLogger,
    });
    await engine.open();
    return new RoutingHarness(engine);
  }

  /** Another router that begins with what the store has. */
  restarted(): RoutingHarness {
    this.router.close();
    return new RoutingHarness(this.engine, this.ends);
  }

  queue(name: string, options: { durable?: boolean; exclusive?: boolean } = {}): FakeQueue {
    const queue: FakeQueue = {
      namespace: NAMESPACE,
      name,
      durable: options.durable ?? false,
      exclusiveOwner: options.exclusive === true ? 1 : null,
      gone: false,
    };
    this.ends.queues.set(name, queue);
    return queue;
  }

  topic(name: string): void {
    this.ends.topics.set(name, { namespace: NAMESPACE, name } as TopicView);
  }

  async deleteQueue(name: string): Promise<void> {
    const queue = this.ends.queues.get(name);
    assert(queue !== undefined);
    queue.gone = true;
    this.ends.queues.delete(name);
    await this.router.queueDeleted(queue as QueueView);
  }

  async exchange(
    name: string,
    type: string,
    options: Partial<Omit<NewExchange, 'name' | 'type'>> = {},
  ): Promise<void> {
    const outcome = await this.router.declareExchange(newExchange(name, type, options));
    assert.equal(outcome.status, 'ok', JSON.stringify(outcome));
  }

  async bind(
    source: string,
    destination: string,
    routingKey = '',
    options: Partial<Pick<NewBinding, 'destinationKind' | 'arguments'>> = {},
  ): Promise<void> {
    const outcome = await this.router.bind(newBinding(source, destination, routingKey, options));
    assert.equal(outcome.status, 'ok', JSON.stringify(outcome));
  }

  async unbind(
    source: string,
    destination: string,
    routingKey = '',
    options: Partial<Pick<NewBinding, 'destinationKind' | 'arguments'>> = {},
  ): Promise<void> {
    const outcome = await this.router.unbind(newBinding(source, destination, routingKey, options));
    assert.equal(outcome.status, 'ok', JSON.stringify(outcome));
  }

  /** Publishes, and answers who got it. */
  send(exchange: string, routingKey: string, more: Partial<Message> = {}): readonly string[] {
    this.router.publish(NAMESPACE, messageOf(exchange, routingKey, more));
    return this.ends.names();
  }

  async close(): Promise<void> {
    this.router.close();
    await this.engine.close('drain');
  }
}

export function newExchange(
  name: string,
  type: string,
  options: Partial<Omit<NewExchange, 'name' | 'type'>> = {},
): NewExchange {
  return {
    namespace: NAMESPACE,
    name,
    type,
    durable: false,
    autoDelete: false,
    internal: false,
    arguments: {},
    ...options,
  };
}

export function newBinding(
  source: string,
  destination: string,
  routingKey = '',
  options: Partial<Pick<NewBinding, 'destinationKind' | 'arguments'>> = {},
): NewBinding {
  return {
    namespace: NAMESPACE,
    source,
    destinationKind: options.destinationKind ?? 'queue',
    destination,
    routingKey,
    arguments: options.arguments ?? {},
  };
}

export function messageOf(
  exchange: string,
  routingKey: string,
  more: Partial<Message> = {},
): Message {
  return Object.assign(new Message(), { exchange, routingKey }, more);
}

/** A message with properties, as the reader of this file reads them. */
export function withHeaders(
  headers: Readonly<Record<string, ArgumentValue>>,
  properties: Partial<Omit<MessageProperties, 'headers'>> = {},
): Partial<Message> {
  const bytes = Buffer.from(JSON.stringify({ ...properties, headers: Object.entries(headers) }));
  return {
    origin: ORIGIN.kafka,
    properties: bytes,
    propertiesStart: 0,
    propertiesEnd: bytes.length,
  };
}

export function withBody(body: string): Partial<Message> {
  const bytes = Buffer.from(body);
  return { body: bytes, bodyStart: 0, bodyEnd: bytes.length };
}

function bodyOf(message: Message): string {
  return message.body.toString('utf8', message.bodyStart, message.bodyEnd);
}

/** Properties written as JSON. */
export const jsonProperties: PropertiesReader = {
  read(buffer, start, end) {
    const given = JSON.parse(buffer.toString('utf8', start, end)) as Partial<MessageProperties>;
    return {
      contentType: null,
      contentEncoding: null,
      correlationId: null,
      replyTo: null,
      messageId: null,
      type: null,
      userId: null,
      appId: null,
      timestampMs: null,
      key: null,
      headers: [],
      ...given,
    };
  },
  header(buffer, start, end, name) {
    return this.read(buffer, start, end).headers.find(([other]) => other === name)?.[1];
  },
};
