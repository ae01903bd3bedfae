import { Kafka, logLevel, type Consumer, type KafkaConfig, type KafkaMessage } from 'kafkajs';
import type { LyrebirdBroker } from '../../src/index.ts';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

/** A kafkajs client of the broker that prints nothing. */
export function kafkaOf(broker: LyrebirdBroker, options: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({
    clientId: 'integration',
    brokers: [broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 5 },
    ...options,
  });
}

export interface Consumed {
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
}

/** Sends values to a topic, keyed by themselves. */
export async function produce(
  kafka: Kafka,
  topic: string,
  values: readonly string[],
): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: true });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ key: value, value })) });
  await producer.disconnect();
}

/** Consumes from the beginning with a group until count messages came, and leaves the group after committing. */
export async function consume(
  kafka: Kafka,
  options: { readonly topic: string; readonly group: string; readonly count: number },
): Promise<Consumed[]> {
  const consumer: Consumer = kafka.consumer({ groupId: options.group });
  await consumer.connect();
  await consumer.subscribe({ topic: options.topic, fromBeginning: true });
  const consumed: Consumed[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    consumer
      .run({
        eachMessage: async ({ topic, partition, message }) => {
          consumed.push({ topic, partition, message });
          if (consumed.length === options.count) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return consumed;
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** The values of messages, sorted. */
export function valuesOf(consumed: readonly Consumed[]): string[] {
  return consumed.map(({ message }) => message.value?.toString() ?? '').sort();
}
