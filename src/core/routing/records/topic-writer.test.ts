import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { openRecords, type RecordCursor } from '../../../base/records.ts';
import {
  CoreHarness,
  TOPIC_CONFIG,
  batchOf,
  bytesOf,
} from '../../../../test/support/core-harness.ts';
import { jsonProperties, withBody } from '../../../../test/support/routing-harness.ts';
import { APPEND_REFUSED } from '../../../storage/types.ts';
import { Message, ORIGIN } from '../../message/message.ts';
import { PropertiesReaders, type MessageProperties } from '../../message/properties.ts';
import type { Topic } from '../../topic/topic.ts';
import { KeyTemplate } from './key-template.ts';
import { RecordMessages } from './record-messages.ts';
import { RecordPropertiesReader } from './record-properties.ts';
import { TopicWriter } from './topic-writer.ts';

let harness: CoreHarness;
let readers: PropertiesReaders;
let writer: TopicWriter;
let woken: number;
let diskFull: boolean;

beforeEach(async () => {
  harness = await CoreHarness.open();
  readers = new PropertiesReaders();
  readers.register(ORIGIN.amqp091, jsonProperties);
  readers.register(ORIGIN.kafka, new RecordPropertiesReader());
  woken = 0;
  diskFull = false;
  writer = new TopicWriter({
    readers,
    nowMs: () => 1_700_000_000_000,
    wake: () => woken++,
    diskFull: () => diskFull,
  });
});

afterEach(() => harness.close());

function messageWith(properties: Partial<MessageProperties>, more: Partial<Message> = {}): Message {
  const bytes = Buffer.from(JSON.stringify(properties));
  return Object.assign(new Message(), {
    origin: ORIGIN.amqp091,
    properties: bytes,
    propertiesEnd: bytes.length,
    ...more,
  });
}

/** Appends what waits and resolves when it is committed. */
async function committed(topic: Topic): Promise<void> {
  const position = writer.append();
  assert(position >= 0);
  await harness.committed(topic.partition(0)!, position);
}

/** The records of a partition; each is described while the cursor is on it. */
async function recordsOf<T>(
  topic: Topic,
  index: number,
  describeRecord: (record: RecordCursor) => T,
): Promise<readonly T[]> {
  const options = { maxBytes: 1 << 20, atLeastOneBatch: true, isolation: 'uncommitted' } as const;
  const bytes = bytesOf(await topic.partition(index)!.read(0, options));
  const found: T[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) {
    const cursor = openRecords(bytes, at, 1 << 20);
    assert(typeof cursor !== 'string');
    while (cursor.next()) found.push(describeRecord(cursor));
    assert(!cursor.damaged);
  }
  return found;
}

describe('TopicWriter', () => {
  it('packs what comes in a turn into one batch for a partition', async () => {
    const topic = await harness.topic('t');
    for (const body of ['a', 'b', 'c']) {
      assert(writer.publish(topic, messageWith({}, withBody(body)), KeyTemplate.none));
    }
    assert.equal(woken, 1);
    assert(writer.pending);
    await committed(topic);
    assert(!writer.pending);
    assert.equal(writer.append(), 0);
    assert.deepEqual(await recordsOf(topic, 0, (r) => String(r.value())), ['a', 'b', 'c']);
    const read = topic.partition(0)!.read(0, {
      maxBytes: 1 << 20,
      atLeastOneBatch: true,
      isolation: 'uncommitted',
    });
    assert.equal(bytesOf(await read).readInt32BE(57), 3);
  });

  it('partitions by the key as Kafka does, and spreads what has none', async () => {
    // What kafka-clients answers for these keys and 10 partitions.
    const known = new Map([
      ['21', 0],
      ['foobar', 6],
      ['a-little-bit-long-string', 2],
    ]);
    const topic = await harness.topic('t', { partitions: 10 });
    const keyed = KeyTemplate.routingKey;
    for (const routingKey of known.keys()) {
      writer.publish(topic, messageWith({}, { routingKey }), keyed);
      writer.publish(topic, messageWith({}, { routingKey }), keyed);
    }
    for (let turn = 0; turn < 3; turn++) {
      writer.publish(topic, messageWith({}, withBody('x')), KeyTemplate.none);
      writer.publish(topic, messageWith({}, withBody('y')), KeyTemplate.none);
      await committed(topic);
    }
    const all = new Map<string, number[]>();
    for (let index = 0; index < 10; index++) {
      for (const key of await recordsOf(topic, index, (r) => String(r.key()))) {
        all.set(key, [...(all.get(key) ?? []), index]);
      }
    }
    for (const [key, partition] of known) assert.deepEqual(all.get(key), [partition, partition]);
    const keyless = all.get('null') ?? [];
    assert.equal(keyless.length, 6);
    assert.equal(new Set(keyless).size, 3);
  });

  it('writes properties and headers that Kafka clients can read', async () => {
    const topic = await harness.topic('t');
    const message = messageWith({
      contentType: 'text/plain',
      messageId: 'm1',
      correlationId: 'ä',
      timestampMs: 5,
      headers: [
        ['n', 5],
        ['list', [1, 'b']],
        ['yes', true],
        ['nothing', null],
        ['n', 'again'],
      ],
    });
    writer.publish(topic, message, KeyTemplate.none);
    await committed(topic);
    const [headers] = await recordsOf(topic, 0, (record) => record.headers());
    assert.deepEqual(
      headers?.slice(0, -1).map(({ name, value }) => [name, value?.toString() ?? null]),
      [
        ['content-type', 'text/plain'],
        ['correlation-id', 'ä'],
        ['message-id', 'm1'],
        ['timestamp', '5'],
        ['n', '5'],
        ['list', '[1,"b"]'],
        ['yes', 'true'],
        ['nothing', null],
        ['n', 'again'],
      ],
    );
    assert.equal(headers?.at(-1)?.name, 'lyrebird-envelope');
  });

  it('refuses what the topic would', async () => {
    const config = { maxMessageBytes: 1000 };
    const topic = await harness.topic('t', { config: { ...config, requireKey: true } });
    const send = (bytes: number, routingKey = 'k'): boolean => {
      const message = messageWith({}, { ...withBody('x'.repeat(bytes)), routingKey });
      return writer.publish(topic, message, KeyTemplate.routingKey);
    };
    assert(!send(10, ''));
    assert(!send(1000));
    diskFull = true;
    assert(!send(10));
    diskFull = false;
    assert(!writer.pending);
    for (let i = 0; i < 5; i++) assert(send(400));
    await committed(topic);
    const read = await topic.partition(0)!.read(0, {
      maxBytes: 1 << 20,
      atLeastOneBatch: true,
      isolation: 'uncommitted',
    });
    assert(bytesOf(read).readInt32BE(57) < 5);
    assert.equal((await recordsOf(topic, 0, () => 1)).length, 5);
  });

  it('keeps what does not fit for now, in order', () => {
    const appended: number[] = [];
    let full = true;
    const partition = {
      topic: { config: TOPIC_CONFIG },
      appendBatch: (bytes: Buffer) => {
        if (full) return { status: 'disk-full', message: '' };
        appended.push(bytes.readInt32BE(57));
        return { status: 'ok', baseOffset: 0, appendTimeMs: -1, position: appended.length };
      },
    };
    const topic = { config: TOPIC_CONFIG, partitionCount: 1, partition: () => partition };
    const send = (): boolean =>
      writer.publish(topic as unknown as Topic, messageWith({}), KeyTemplate.none);
    for (let i = 0; i < 3; i++) assert(send());
    assert.equal(writer.append(), APPEND_REFUSED.diskFull);
    assert(writer.pending);
    assert(send());
    full = false;
    assert.equal(writer.append(), 2);
    assert.deepEqual(appended, [3, 1]);
    assert(!writer.pending);
  });

  it('lets a topic that is gone take its messages with it', async () => {
    const topic = await harness.topic('t');
    writer.publish(topic, messageWith({}), KeyTemplate.none);
    await harness.broker.topics.delete('default', 't');
    assert.equal(writer.append(), 0);
  });
});

describe('RecordMessages', () => {
  it('gives back exactly what another protocol published', async () => {
    const text = fc.string({ maxLength: 20, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record(
            {
              exchange: text,
              routingKey: text,
              furtherKeys: fc.option(fc.array(text, { maxLength: 2 }), { nil: null }),
              priority: fc.integer({ min: -1, max: 255 }),
              ttlMs: fc.integer({ min: -1, max: 1 << 30 }),
              body: fc.string({ maxLength: 50 }),
              header: text,
            },
            { noNullPrototype: true },
          ),
          { minLength: 1, maxLength: 5 },
        ),
        async (messages) => {
          const name = `t${Math.abs(harness.broker.topics.revision)}`;
          const topic = await harness.topic(name);
          for (const { body, header, ...more } of messages) {
            const properties = { headers: [['h', header] as const] };
            const message = messageWith(properties, { ...more, ...withBody(body) });
            assert(writer.publish(topic, message, KeyTemplate.routingKey));
          }
          await committed(topic);
          const reader = new RecordMessages();
          const back = await recordsOf(topic, 0, (record) => {
            const message = new Message();
            reader.read(record, message);
            assert.equal(message.origin, ORIGIN.amqp091);
            const { exchange, routingKey, furtherKeys, priority, ttlMs } = message;
            const body = message.body.toString('utf8', message.bodyStart, message.bodyEnd);
            const header = readers.header(message, 'h');
            return { exchange, routingKey, furtherKeys, priority, ttlMs, body, header };
          });
          assert.deepEqual(back, messages);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reads what a Kafka client produced', async () => {
    const topic = await harness.topic('t');
    await harness.append(topic.partition(0)!, batchOf([{ key: 'k', value: 'v' }, 'plain']));
    const reader = new RecordMessages();
    const back = await recordsOf(topic, 0, (record) => {
      const message = new Message();
      reader.read(record, message);
      const { origin, routingKey, publishedMs } = message;
      const key = readers.read(message).key?.toString() ?? null;
      const body = message.body.toString('utf8', message.bodyStart, message.bodyEnd);
      return { origin, routingKey, publishedMs, key, body };
    });
    const publishedMs = 1_700_000_000_000;
    assert.deepEqual(back, [
      { origin: ORIGIN.kafka, routingKey: 'k', publishedMs, key: 'k', body: 'v' },
      { origin: ORIGIN.kafka, routingKey: '', publishedMs, key: null, body: 'plain' },
    ]);
  });
});
