import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import kafkajs, { type Kafka } from 'kafkajs';
import { createBroker, type EmbeddedStorage, type LyrebirdBroker } from '../../src/index.ts';
import { consume, kafkaOf, numbered, produce, valuesOf } from '../support/kafkajs.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

const { CompressionTypes, ConfigResourceTypes } = kafkajs;

for (const kind of ['memory', 'disk'] as const) {
  describe(`kafkajs with ${kind} storage`, () => {
    let folder: TempFolder;
    let broker: LyrebirdBroker;
    let kafka: Kafka;

    before(async () => {
      folder = await tempFolder();
      const storage: EmbeddedStorage = kind === 'memory' ? 'memory' : { path: folder.path };
      broker = await createBroker({ storage });
      kafka = kafkaOf(broker);
    });

    after(async () => {
      await broker.close();
      await folder.remove();
    });

    it('produces to an unknown topic and consumes it with a group', async () => {
      const values = numbered('first', 500);
      await produce(kafka, 'auto', values);
      const consumed = await consume(kafka, { topic: 'auto', group: 'readers', count: 500 });
      assert.deepEqual(valuesOf(consumed), [...values].sort());
      assert.equal(consumed[0]?.message.key?.toString(), consumed[0]?.message.value?.toString());
      assert.equal(broker.groups.lag('readers', 'auto'), 0);

      await produce(kafka, 'auto', numbered('more', 7));
      assert.equal(broker.groups.lag('readers', 'auto'), 7);
      const rest = await consume(kafka, { topic: 'auto', group: 'readers', count: 7 });
      assert.deepEqual(valuesOf(rest), numbered('more', 7));
    });

    it('carries headers, null values, timestamps and compressed batches', async () => {
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({
        topic: 'odd',
        compression: CompressionTypes.GZIP,
        messages: [
          { key: null, value: 'x', headers: { trace: 'abc', many: ['1', '2'] }, timestamp: '1000' },
          { key: 'gone', value: null, timestamp: '2000' },
        ],
      });
      await producer.disconnect();
      const consumed = await consume(kafka, { topic: 'odd', group: 'odd', count: 2 });
      const [first, second] = consumed.map(({ message }) => message);
      assert.equal(first?.headers?.trace?.toString(), 'abc');
      assert.equal(first?.timestamp, '1000');
      assert.equal(second?.value, null);
      assert.equal(second?.offset, '1');
    });

    it('gives an idempotent producer its sequence', async () => {
      const producer = kafka.producer({ idempotent: true });
      await producer.connect();
      for (const value of numbered('once', 20)) {
        await producer.send({ topic: 'once', messages: [{ value }] });
      }
      await producer.disconnect();
      const consumed = await consume(kafka, { topic: 'once', group: 'once', count: 20 });
      assert.deepEqual(
        consumed.map(({ message }) => message.value?.toString()),
        numbered('once', 20),
      );
    });

    it('administers topics, configurations, offsets and groups', async () => {
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({
        topics: [
          {
            topic: 'managed',
            numPartitions: 2,
            configEntries: [{ name: 'retention.ms', value: '60000' }],
          },
        ],
      });
      await admin.createPartitions({ topicPartitions: [{ topic: 'managed', count: 4 }] });
      const { topics } = await admin.fetchTopicMetadata({ topics: ['managed'] });
      assert.equal(topics[0]?.partitions.length, 4);
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [
          { type: ConfigResourceTypes.TOPIC, name: 'managed', configNames: ['retention.ms'] },
        ],
      });
      assert.equal(resources[0]?.configEntries[0]?.configValue, '60000');
      await produce(kafka, 'managed', numbered('m', 10));
      await consume(kafka, { topic: 'managed', group: 'managers', count: 10 });
      await admin.resetOffsets({ groupId: 'managers', topic: 'managed', earliest: true });
      assert.equal(broker.groups.lag('managers', 'managed'), 10);
      const { groups } = await admin.listGroups();
      assert.ok(groups.some(({ groupId }) => groupId === 'managers'));
      await admin.deleteGroups(['managers']);
      await admin.deleteTopics({ topics: ['managed'] });
      assert.equal(broker.topics.get('managed'), null);
      await admin.disconnect();
    });

    it('shares partitions between the members of a group', async () => {
      await broker.topics.create('shared', { partitions: 4 });
      const seen: string[] = [];
      const members = await Promise.all(
        [1, 2].map(async () => {
          const consumer = kafka.consumer({ groupId: 'sharers', sessionTimeout: 10_000 });
          await consumer.connect();
          await consumer.subscribe({ topic: 'shared', fromBeginning: true });
          await consumer.run({
            eachMessage: async ({ message }) => void seen.push(message.value?.toString() ?? ''),
          });
          return consumer;
        }),
      );
      await broker.groups.waitForMembers('sharers', { count: 2 });
      await produce(kafka, 'shared', numbered('s', 100));
      await broker.groups.waitForLag('sharers', { topic: 'shared', timeoutMs: 20_000 });
      await Promise.all(members.map((member) => member.disconnect()));
      assert.deepEqual(seen.sort(), numbered('s', 100).sort());
    });
  });
}
