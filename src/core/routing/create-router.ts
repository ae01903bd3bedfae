import type { Random } from '../../base/random.ts';
import type { LogEngine } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventBus } from '../events.ts';
import type { Limits } from '../limits.ts';
import { ORIGIN } from '../message/message.ts';
import type { PropertiesReaders } from '../message/properties.ts';
import type { EffectivePolicy } from '../policy/policy-types.ts';
import type { QueueRegistry } from '../queue-types.ts';
import type { Turn } from '../queue/turn.ts';
import type { TopicRegistry } from '../types.ts';
import type { ExchangePolicy } from './exchange.ts';
import type { QueueSink, SinkOutcome } from './queue-sink.ts';
import { RecordPropertiesReader } from './records/record-properties.ts';
import { TopicWriter } from './records/topic-writer.ts';
import { MessageRouter } from './router.ts';

export interface RouterParts {
  readonly engine: LogEngine;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly limits: Limits;
  readonly readers: PropertiesReaders;
  readonly topics: TopicRegistry;
  readonly queues: QueueRegistry & Omit<QueueSink, 'defer'> & { readonly turn: Turn };
  /** Keeps delayed messages; null: nobody does, and exchanges that delay refuse them. */
  readonly schedule: Pick<QueueSink, 'defer'> | null;
  readonly policies: {
    effective(subject: 'exchange', namespace: string, name: string): EffectivePolicy;
  };
}

const REFUSED: SinkOutcome = Object.freeze({ accepted: 0, rejected: true });

/** The router of a broker, between its queues, topics, policies and events. It is not loaded yet. */
export function createRouter(parts: RouterParts): MessageRouter {
  const { engine, random, logger, events, limits, readers, topics, queues, schedule, policies } =
    parts;
  readers.register(ORIGIN.kafka, new RecordPropertiesReader());
  const { turn } = queues;
  const topicSink = new TopicWriter({
    readers,
    nowMs: () => turn.nowMs,
    wake: () => turn.expect(),
    diskFull: () => engine.diskState() === 'blocked',
  });
  turn.join(topicSink);
  const router = new MessageRouter({
    meta: engine.meta,
    logger,
    random,
    readers,
    sink: {
      targetSet: (set) => queues.targetSet(set),
      publish: (targets, message) => queues.publish(targets, message),
      defer: (...args) => schedule?.defer(...args) ?? REFUSED,
    },
    topicSink,
    ends: {
      queue: (namespace, name) => queues.byName(namespace, name),
      topic: (namespace, name) => topics.byName(namespace, name),
    },
    policyOf: (namespace, name) => policyOf(policies.effective('exchange', namespace, name)),
    exchangesMax: () => limits.get('exchanges'),
    bindingsMax: () => limits.get('bindings'),
  });
  events.on('queue-deleted', ({ queue }) => void router.queueDeleted(queue));
  events.on('topic-deleted', ({ topic }) => void router.topicDeleted(topic.namespace, topic.name));
  events.on('policies-changed', ({ namespace }) => router.policiesChanged(namespace));
  return router;
}

function policyOf({ policy, definition }: EffectivePolicy): ExchangePolicy | null {
  if (policy === null) return null;
  const alternate = definition['alternate-exchange'];
  return { name: policy, alternateExchange: typeof alternate === 'string' ? alternate : null };
}
