// @confluentinc/kafka-javascript (librdkafka): node confluent.mjs BOOTSTRAP CASE TOPIC
import { createRequire } from 'node:module';
import { check, readAll, runCase, values } from './common.mjs';

const { KafkaJS } = createRequire(import.meta.url)('@confluentinc/kafka-javascript');
const [, , bootstrap, name, topic] = process.argv;
const kafka = new KafkaJS.Kafka({
  kafkaJS: { clientId: 'interop', brokers: [bootstrap], logLevel: KafkaJS.logLevel.ERROR },
});

async function create(partitions) {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
}

async function produce(messages, settings = {}) {
  const producer = kafka.producer({ kafkaJS: { acks: -1, ...settings } });
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

async function consume(count, groupId) {
  const consumer = kafka.consumer({ kafkaJS: { groupId, fromBeginning: true } });
  await consumer.connect();
  await consumer.subscribe({ topic });
  const messages = await readAll(count, (push) =>
    consumer.run({
      eachMessage: async ({ message, partition }) => push({ ...message, partition }),
    }),
  );
  await consumer.disconnect();
  return messages;
}

const compressed = (compression) => async () => {
  await create(1);
  await produce(
    values(100).map((value) => ({ value })),
    { compression },
  );
  check((await consume(100, `${topic}-g`)).length === 100, 'not all read');
};
const types = KafkaJS.CompressionTypes;

await runCase(name, {
  roundtrip: async () => {
    await create(3);
    await produce(values(300).map((value, i) => ({ key: `k${i % 10}`, value })));
    check((await consume(300, `${topic}-g`)).length === 300, 'not all read');
  },
  headers: async () => {
    await create(1);
    await produce([{ key: 'k', value: null, headers: { a: 'b' } }]);
    const [message] = await consume(1, `${topic}-g`);
    check(message.value === null && String(message.headers.a) === 'b', 'header or tombstone lost');
  },
  gzip: compressed(types.GZIP),
  snappy: compressed(types.SNAPPY),
  lz4: compressed(types.LZ4),
  zstd: compressed(types.ZSTD),
  group: async () => {
    await create(4);
    await produce(values(100).map((value, i) => ({ value, partition: i % 4 })));
    check((await consume(100, `${topic}-g`)).length === 100, 'not all read');
    const admin = kafka.admin();
    await admin.connect();
    const groups = await admin.listGroups();
    await admin.disconnect();
    check(
      groups.groups.some((group) => group.groupId === `${topic}-g`),
      'group not listed',
    );
  },
  idempotent: async () => {
    await create(1);
    await produce(
      values(50).map((value) => ({ value })),
      { idempotent: true },
    );
    check((await consume(50, `${topic}-g`)).length === 50, 'not all read');
  },
  large: async () => {
    await create(1);
    await produce([{ value: Buffer.alloc(900_000, 7) }]);
    const [message] = await consume(1, `${topic}-g`);
    check(message.value.length === 900_000, 'size');
  },
});
