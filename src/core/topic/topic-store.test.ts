import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  CoreHarness,
  NAMESPACE,
  TOPIC_CONFIG,
  batchOf,
  partitionOf,
} from '../../../test/support/core-harness.ts';
import { metadataDelta } from '../metadata-image.ts';
import type { NewTopic, TopicOutcome } from '../types.ts';
import { decodeTopicRecord, encodeTopicRecord } from './topic-record.ts';

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open({ limits: { 'topics.max': 20, 'partitions.max': 50 } });
});

afterEach(() => harness.close());

function newTopic(name: string, partitions = 1): NewTopic {
  return { namespace: NAMESPACE, name, partitions, config: TOPIC_CONFIG, overrides: {} };
}

async function statusOf(outcome: Promise<TopicOutcome>): Promise<TopicOutcome['status']> {
  return (await outcome).status;
}

describe('TopicStore', () => {
  it('creates topics with logs, found by name and id, listed in order', async () => {
    const { topics } = harness.broker;
    const before = topics.revision;
    for (const name of ['b', 'c', 'a']) await harness.topic(name, { partitions: 2 });
    assert.deepEqual(
      topics.list(NAMESPACE).map(({ name }) => name),
      ['a', 'b', 'c'],
    );
    assert(topics.revision > before);
    const topic = topics.byName(NAMESPACE, 'b');
    assert(topic !== null);
    assert.equal(topics.byId(topic.id), topic);
    assert.equal(topic.partitionCount, 2);
    assert.equal(topic.partition(2), null);
    assert.equal(topic.partition(-1), null);
    assert.equal(topic.partition(1), topic.partition(1));
    assert.equal(topics.byName('other', 'b'), null);
    const logs = [...harness.engine.logs()].map(({ name }) => name);
    assert(logs.includes('topic/default/b/1'));
  });

  it('refuses names that are none, or that collide', async () => {
    const { topics } = harness.broker;
    for (const name of ['', '.', '..', 'a b', 'ä', 'a/b', 'x'.repeat(250), 'a\n']) {
      assert.equal(topics.check(newTopic(name)), 'invalid-name', JSON.stringify(name));
      assert.equal(await statusOf(topics.create(newTopic(name))), 'invalid-name');
    }
    assert.equal(await statusOf(topics.create(newTopic('x'.repeat(249)))), 'ok');
    await harness.topic('a.b_c');
    assert.equal(await statusOf(topics.create(newTopic('a_b_c'))), 'invalid-name');
    assert.equal(await statusOf(topics.create(newTopic('a-b-c'))), 'ok');
    assert.equal(await statusOf(topics.create({ ...newTopic('a_b_c'), namespace: 'other' })), 'ok');
    await topics.delete(NAMESPACE, 'a.b_c');
    assert.equal(topics.check(newTopic('a_b_c')), null);
  });

  it('creates a name once when it is asked for twice at once', async () => {
    const { topics } = harness.broker;
    const outcomes = await Promise.all([
      topics.create(newTopic('t.1')),
      topics.create(newTopic('t.1')),
      topics.create(newTopic('t_1')),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['ok', 'exists', 'invalid-name'],
    );
    assert.notEqual(topics.byName(NAMESPACE, 't.1'), null);
  });

  it('keeps to its limits, also with creations under way', async () => {
    const { topics } = harness.broker;
    const first = await Promise.all([
      topics.create(newTopic('p', 30)),
      topics.create(newTopic('q', 30)),
    ]);
    assert.deepEqual(first.map(({ status }) => status).sort(), ['limit', 'ok']);
    assert.equal(topics.check(newTopic('r', 20)), null);
    assert.equal(topics.check(newTopic('r', 21)), 'limit');
    for (let i = 0; i < 19; i++) await harness.topic(`t${i}`);
    assert.equal(topics.check(newTopic('r')), 'limit');
    assert.equal(topics.check(newTopic('r', 0)), 'invalid-partitions');
    assert.equal(topics.check(newTopic('r', 1.5)), 'invalid-partitions');
  });

  it('adds partitions and keeps those that are there', async () => {
    const { topics } = harness.broker;
    const topic = await harness.topic('t', { partitions: 2 });
    const second = partitionOf(topic, 1);
    await harness.append(second, batchOf(['a']));
    assert.equal(await statusOf(topics.setPartitionCount(NAMESPACE, 't', 2)), 'invalid-partitions');
    assert.equal(await statusOf(topics.setPartitionCount(NAMESPACE, 't', 1)), 'invalid-partitions');
    assert.equal(await statusOf(topics.setPartitionCount(NAMESPACE, 't', 99)), 'limit');
    assert.equal(await statusOf(topics.setPartitionCount(NAMESPACE, 'u', 3)), 'unknown');
    assert.equal(await statusOf(topics.setPartitionCount(NAMESPACE, 't', 4)), 'ok');
    assert.equal(topic.partitionCount, 4);
    assert.equal(topic.partition(1), second);
    await harness.append(partitionOf(topic, 3), batchOf(['b']));
    assert.equal(second.highWatermark, 1);
    const all = await Promise.all([
      topics.setPartitionCount(NAMESPACE, 't', 5),
      topics.setPartitionCount(NAMESPACE, 't', 6),
    ]);
    assert(all.some(({ status }) => status === 'ok'));
    assert.equal(topics.image().partitionCount, topic.partitionCount);
  });

  it('changes configurations in the topic and in its logs', async () => {
    const { topics } = harness.broker;
    const topic = await harness.topic('t');
    const config = { ...TOPIC_CONFIG, retentionMs: 1000, maxMessageBytes: 100 };
    const overrides = { 'retention.ms': '1000' };
    assert.equal(await statusOf(topics.alterConfig(NAMESPACE, 't', config, overrides)), 'ok');
    assert.deepEqual(topic.config, config);
    assert.deepEqual(topic.overrides, overrides);
    assert.equal(harness.engine.spec(partitionOf(topic, 0).log)?.retentionMs, 1000);
    assert.equal(await statusOf(topics.alterConfig(NAMESPACE, 'u', config, {})), 'unknown');
  });

  it('deletes topics with their logs, and creates them anew', async () => {
    const { topics } = harness.broker;
    const topic = await harness.topic('t');
    const partition = partitionOf(topic, 0);
    await harness.append(partition, batchOf(['a']));
    assert.equal(await statusOf(topics.delete(NAMESPACE, 't')), 'ok');
    assert.equal(await statusOf(topics.delete(NAMESPACE, 't')), 'unknown');
    assert.equal(topics.byName(NAMESPACE, 't'), null);
    assert.equal(topics.byId(topic.id), null);
    assert.equal(harness.engine.hasLog(partition.log), false);
    const again = await harness.topic('t');
    assert(!again.id.equals(topic.id));
    assert.equal(partitionOf(again, 0).highWatermark, 0);
  });

  it('tells each change once', async () => {
    const { topics, events } = harness.broker;
    const told: string[] = [];
    events.on('topic-created', ({ topic }) => told.push(`created ${topic.name}`));
    events.on('topic-deleted', ({ topic }) => told.push(`deleted ${topic.name}`));
    events.on('partitions-added', ({ topic, previousCount }) =>
      told.push(`${topic.name} ${previousCount} to ${topic.partitionCount}`),
    );
    events.on('config-changed', ({ topic }) => told.push(`changed ${topic.name}`));
    await harness.topic('t');
    await topics.setPartitionCount(NAMESPACE, 't', 3);
    await topics.alterConfig(NAMESPACE, 't', { ...TOPIC_CONFIG, retentionMs: 5 }, {});
    await topics.delete(NAMESPACE, 't');
    assert.deepEqual(told, ['created t', 't 1 to 3', 'changed t', 'deleted t']);
  });

  it('says that storage failed instead of throwing', async () => {
    await harness.topic('t');
    await harness.engine.close('drain');
    const { topics } = harness.broker;
    assert.equal(await statusOf(topics.create(newTopic('u'))), 'failed');
    assert.equal(await statusOf(topics.delete(NAMESPACE, 't')), 'failed');
  });

  it('makes images that stay as they are, and tells what differs', async () => {
    const { topics } = harness.broker;
    await harness.topic('a');
    await harness.topic('b');
    await harness.topic('c');
    const before = topics.image();
    assert.equal(topics.image(), before);
    await topics.delete(NAMESPACE, 'a');
    await topics.setPartitionCount(NAMESPACE, 'b', 2);
    await topics.delete(NAMESPACE, 'c');
    await harness.topic('c');
    await harness.topic('d');
    const after = topics.image();
    assert.equal(before.topics.get(NAMESPACE)?.length, 3);
    const delta = metadataDelta(before, after);
    const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort();
    assert.deepEqual(names(delta.created), ['c', 'd']);
    assert.deepEqual(names(delta.deleted), ['a', 'c']);
    assert.deepEqual(names(delta.changed), ['b']);
    assert.equal(delta.toRevision, topics.revision);
    assert.deepEqual(metadataDelta(after, after).created, []);
  });
});

describe('a topic record', () => {
  it('comes back from its text, limits without end included', () => {
    const record = {
      id: Buffer.alloc(16, 7),
      logs: [
        { first: 4, count: 2 },
        { first: 90, count: 1 },
      ],
      config: {
        ...TOPIC_CONFIG,
        retentionMs: 5,
        requireKey: true,
        timestampType: 'append' as const,
      },
      overrides: { a: 'b' },
      internal: false,
    };
    assert.deepEqual(decodeTopicRecord(encodeTopicRecord(record)), record);
  });

  it('that is something else is refused', () => {
    for (const text of ['', '{}', '[]', 'null', '{"id":"00"}']) {
      assert.throws(() => decodeTopicRecord(text));
    }
  });
});
