// @platformatic/kafka: node platformatic.mjs BOOTSTRAP CASE TOPIC
import {
  Admin,
  Consumer,
  MessagesStreamModes,
  ProduceAcks,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka';
import { check, runCase, values } from './common.mjs';

const [, , bootstrap, name, topic] = process.argv;
const base = { clientId: 'interop', bootstrapBrokers: [bootstrap] };

async function withAdmin(use) {
  const admin = new Admin(base);
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}

const create = (partitions) =>
  withAdmin((admin) => admin.createTopics({ topics: [topic], partitions, replicas: 1 }));

async function produce(messages, options = {}) {
  const producer = new Producer({ ...base, serializers: stringSerializers, ...options });
  await producer.send({ messages: messages.map((m) => ({ topic, ...m })), acks: ProduceAcks.ALL });
  await producer.close();
}

async function consume(count, groupId) {
  const consumer = new Consumer({ ...base, groupId, deserializers: stringDeserializers });
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: true,
  });
  const messages = [];
  for await (const message of stream) {
    messages.push(message);
    if (messages.length === count) break;
  }
  await consumer.close(true);
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

await runCase(name, {
  roundtrip: async () => {
    await create(3);
    await produce(values(300).map((value, i) => ({ key: `k${i % 10}`, value })));
    const read = await consume(300, `${topic}-g`);
    for (let key = 0; key < 10; key++) {
      const mine = read.filter((m) => m.key === `k${key}`).map((m) => Number(m.value.slice(1)));
      check(
        mine.every((n, i) => i === 0 || n > mine[i - 1]),
        `order of key ${key}`,
      );
    }
  },
  headers: async () => {
    await create(1);
    await produce([{ key: 'k', value: 'v', headers: { a: 'b' } }]);
    const [message] = await consume(1, `${topic}-g`);
    check(message.headers.get('a') === 'b', 'header lost');
  },
  gzip: compressed('gzip'),
  snappy: compressed('snappy'),
  lz4: compressed('lz4'),
  group: async () => {
    await create(4);
    await produce(values(100).map((value, i) => ({ value, partition: i % 4 })));
    await consume(100, `${topic}-g`);
    const groups = await withAdmin((admin) => admin.listGroups());
    check(groups.has(`${topic}-g`), 'group not listed');
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
    await produce([{ value: 'x'.repeat(900_000) }]);
    const [message] = await consume(1, `${topic}-g`);
    check(message.value.length === 900_000, 'size');
  },
  admin: () =>
    withAdmin(async (admin) => {
      await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
      check((await admin.listTopics()).includes(topic), 'not listed');
      await admin.deleteTopics({ topics: [topic] });
      check(!(await admin.listTopics()).includes(topic), 'still listed');
    }),
});
