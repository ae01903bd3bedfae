// kafkajs: node kafkajs.mjs BOOTSTRAP CASE TOPIC
import { Kafka, CompressionTypes, logLevel } from 'kafkajs';
import { check, readAll, runCase, values } from './common.mjs';

const [, , bootstrap, name, topic] = process.argv;
const kafka = new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.ERROR });

async function withAdmin(use) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

const create = (partitions) =>
  withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: partitions }] }));

async function produce(messages, options = {}, compression = CompressionTypes.None) {
  const producer = kafka.producer(options);
  await producer.connect();
  await producer.send({ topic, messages, compression, acks: -1 });
  await producer.disconnect();
}

/** Reads count messages with a group; resolves with them. */
async function consume(count, groupId) {
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const messages = await readAll(count, (push) =>
    consumer.run({
      eachMessage: async ({ message, partition }) => push({ ...message, partition }),
    }),
  );
  await consumer.disconnect();
  return messages;
}

const compressed = (type) => async () => {
  await produce(
    values(100).map((value) => ({ value })),
    {},
    type,
  );
  check((await consume(100, `${topic}-g`)).length === 100, 'not all read');
};

await runCase(name, {
  roundtrip: async () => {
    await create(3);
    await produce(values(300).map((value, i) => ({ key: `k${i % 10}`, value })));
    const read = await consume(300, `${topic}-g`);
    for (let key = 0; key < 10; key++) {
      const mine = read
        .filter((m) => m.key.toString() === `k${key}`)
        .map((m) => Number(m.value.toString().slice(1)));
      check(
        mine.every((n, i) => i === 0 || n > mine[i - 1]),
        `order of key ${key}`,
      );
    }
  },
  headers: async () => {
    await create(1);
    await produce([{ key: 'k', value: null, headers: { a: 'b' } }]);
    const [message] = await consume(1, `${topic}-g`);
    check(
      message.value === null && message.headers.a.toString() === 'b',
      'header or tombstone lost',
    );
  },
  gzip: compressed(CompressionTypes.GZIP),
  group: async () => {
    await create(4);
    await produce(values(100).map((value, i) => ({ value, partition: i % 4 })));
    await consume(100, `${topic}-g`);
    const left = await withAdmin((admin) =>
      admin.fetchOffsets({ groupId: `${topic}-g`, topics: [topic] }),
    );
    const total = left[0].partitions.reduce((sum, p) => sum + Number(p.offset), 0);
    check(total === 100, `committed ${total} of 100`);
  },
  idempotent: async () => {
    await create(1);
    await produce(
      values(50).map((value) => ({ value })),
      { idempotent: true, maxInFlightRequests: 1 },
    );
    check((await consume(50, `${topic}-g`)).length === 50, 'not all read');
  },
  large: async () => {
    await create(1);
    await produce([{ value: Buffer.alloc(900_000, 7) }]);
    const [message] = await consume(1, `${topic}-g`);
    check(message.value.length === 900_000, 'size');
  },
  times: async () => {
    await create(1);
    await produce(
      values(10).map((value, i) => ({ value, timestamp: String(1_700_000_000_000 + i) })),
    );
    const offsets = await withAdmin((admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_005),
    );
    check(offsets[0].offset === '5', `offset ${offsets[0].offset}`);
  },
  admin: () =>
    withAdmin(async (admin) => {
      await admin.createTopics({
        topics: [
          { topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '3600000' }] },
        ],
      });
      const described = await admin.describeConfigs({
        resources: [{ type: 2, name: topic }],
        includeSynonyms: false,
      });
      const retention = described.resources[0].configEntries.find(
        (entry) => entry.configName === 'retention.ms',
      );
      check(retention.configValue === '3600000', 'retention.ms');
      await admin.alterConfigs({
        resources: [
          { type: 2, name: topic, configEntries: [{ name: 'retention.ms', value: '7200000' }] },
        ],
      });
      await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
      const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
      check(metadata.topics[0].partitions.length === 3, 'partitions');
      await admin.deleteTopics({ topics: [topic] });
      check(!(await admin.listTopics()).includes(topic), 'still listed');
    }),
});
