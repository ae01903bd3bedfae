import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Channel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import kafkajs, { type Kafka, type Message } from 'kafkajs';
import {
  AmqpTestBroker,
  channelError,
  connectionError,
  consumeInto,
  settled,
  textOf,
  textsOf,
} from '../support/amqp.ts';
import { consume, kafkaOf, numbered } from '../support/kafkajs.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

const STREAM = { durable: true, arguments: { 'x-queue-type': 'stream' } } as const;

const offsetsOf = (messages: readonly ConsumeMessage[]): unknown[] =>
  messages.map(({ properties }) => properties.headers?.['x-stream-offset']);

for (const kind of ['memory', 'disk'] as const) {
  describe(`AMQP stream queues, ${kind} storage`, () => {
    let folder: TempFolder;
    let server: AmqpTestBroker;
    let kafka: Kafka;

    before(async () => {
      folder = await tempFolder();
      const storage = kind === 'memory' ? 'memory' : { path: folder.path };
      server = await AmqpTestBroker.start({ storage });
      kafka = kafkaOf(server.broker);
    });

    afterEach(() => server.disconnect());

    after(async () => {
      await server.stop();
      await folder.remove();
    });

    /** A stream with messages of these texts, each committed on its own. */
    async function streamOf(name: string, texts: readonly string[]): Promise<ConfirmChannel> {
      const channel = await server.confirmChannel();
      await channel.assertQueue(name, STREAM);
      for (const text of texts) {
        channel.sendToQueue(name, Buffer.from(text), { headers: { text } });
        await channel.waitForConfirms();
      }
      await channel.prefetch(100);
      return channel;
    }

    async function readFrom(
      channel: Channel,
      queue: string,
      offset: unknown,
      count: number,
    ): Promise<readonly ConsumeMessage[]> {
      const args = { 'x-stream-offset': offset };
      const inbox = await consumeInto(channel, queue, { arguments: args, acks: 'each' });
      const messages = await inbox.holds(count);
      await channel.cancel(inbox.tag);
      return messages;
    }

    it('reads again and again from wherever it is asked to', async () => {
      const texts = numbered('m', 5);
      const channel = await streamOf('positions', texts);
      assert.deepEqual(textsOf(await readFrom(channel, 'positions', 'first', 5)), texts);
      const again = await readFrom(channel, 'positions', 'first', 5);
      assert.deepEqual(textsOf(again), texts);
      assert.deepEqual(offsetsOf(again), [0, 1, 2, 3, 4]);
      assert.equal(again[2]?.properties.headers?.['text'], 'm-2');
      assert.deepEqual(textsOf(await readFrom(channel, 'positions', 3, 2)), ['m-3', 'm-4']);
      assert.deepEqual(textsOf(await readFrom(channel, 'positions', 'last', 1)), ['m-4']);
      assert.deepEqual(textsOf(await readFrom(channel, 'positions', '1h', 5)), texts);
      const epoch = { '!': 'timestamp', value: 1000 };
      assert.deepEqual(textsOf(await readFrom(channel, 'positions', epoch, 5)), texts);
      assert.equal((await channel.checkQueue('positions')).messageCount, 5);
      assert.equal((await channel.assertQueue('positions', STREAM)).messageCount, 5);
    });

    it('delivers what comes from now on where nothing is said', async () => {
      const channel = await streamOf('tail', ['before']);
      const inbox = await consumeInto(channel, 'tail', { acks: 'each' });
      const beyond = await consumeInto(channel, 'tail', {
        acks: 'each',
        arguments: { 'x-stream-offset': 1_000_000 },
      });
      for (const text of ['after', 'later']) channel.sendToQueue('tail', Buffer.from(text));
      assert.deepEqual(textsOf(await inbox.holds(2)), ['after', 'later']);
      assert.deepEqual(offsetsOf(await beyond.holds(2)), [1, 2]);
      assert.equal((await channel.checkQueue('tail')).consumerCount, 2);
    });

    it('delivers no more than the prefetch count ahead of acknowledgements, whatever they say', async () => {
      const channel = await streamOf('credit', []);
      const texts = numbered('m', 300);
      for (const text of texts) channel.sendToQueue('credit', Buffer.from(text));
      await channel.waitForConfirms();
      await channel.prefetch(7);
      const args = { 'x-stream-offset': 'first' };
      const inbox = await consumeInto(channel, 'credit', { arguments: args });
      await settled(channel);
      assert.equal(inbox.messages.length, 7);
      channel.nack(inbox.messages[0]!, false, true);
      channel.reject(inbox.messages[1]!, false);
      await inbox.holds(9);
      await settled(channel);
      assert.equal(inbox.messages.length, 9);
      for (let done = 9; done < 300; done += 7) {
        channel.ack(inbox.messages[done - 1]!, true);
        await inbox.holds(Math.min(done + 7, 300));
      }
      assert.deepEqual(textsOf(inbox.messages), texts);
      assert(inbox.messages.every(({ fields }) => !fields.redelivered));
    });

    it('filters by the value that publishers gave', async () => {
      const channel = await streamOf('filtered', []);
      const send = (text: string, headers: object): void => {
        channel.sendToQueue('filtered', Buffer.from(text), { headers });
      };
      send('a', { 'x-stream-filter-value': 'one' });
      send('b', { 'x-stream-filter-value': 'two' });
      send('c', {});
      send('d', { 'x-stream-filter-value': 'three' });
      await channel.waitForConfirms();
      const read = async (filter: object, count: number): Promise<string[]> => {
        const args = { 'x-stream-offset': 'first', ...filter };
        const inbox = await consumeInto(channel, 'filtered', { arguments: args, acks: 'each' });
        await inbox.holds(count);
        await settled(channel);
        return textsOf(inbox.messages);
      };
      assert.deepEqual(await read({ 'x-stream-filter': 'two' }, 1), ['b']);
      assert.deepEqual(await read({ 'x-stream-filter': ['one', 'three'] }, 2), ['a', 'd']);
      const unfiltered = { 'x-stream-filter': 'one', 'x-stream-match-unfiltered': true };
      assert.deepEqual(await read(unfiltered, 2), ['a', 'c']);
    });

    it('gives Kafka clients what AMQP published, headers as text', async () => {
      const channel = await streamOf('to-kafka', []);
      channel.sendToQueue('to-kafka', Buffer.from('{"n":1}'), {
        contentType: 'application/json',
        correlationId: 'c-1',
        messageId: 'm-1',
        type: 'order',
        headers: { text: 'ü', number: 42, yes: true, list: [1, 'x'], none: null },
      });
      await channel.waitForConfirms();
      const [record] = await consume(kafka, { topic: 'to-kafka', group: 'g', count: 1 });
      assert.equal(record?.message.value?.toString(), '{"n":1}');
      const headers = record?.message.headers ?? {};
      const texts = Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => name !== 'lyrebird-envelope')
          .map(([name, value]) => [name, value?.toString() ?? null]),
      );
      assert.deepEqual(texts, {
        'content-type': 'application/json',
        'correlation-id': 'c-1',
        'message-id': 'm-1',
        type: 'order',
        text: 'ü',
        number: '42',
        yes: 'true',
        list: '[1,"x"]',
        none: null,
      });
    });

    it('gives AMQP clients what Kafka clients produced, with key and headers', async () => {
      const channel = await streamOf('from-kafka', []);
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({
        topic: 'from-kafka',
        compression: kafkajs.CompressionTypes.GZIP,
        messages: [
          {
            key: 'customer-7',
            value: 'first',
            headers: { trace: 'abc', 'content-type': 'text/plain', 'message-id': 'k-1' },
          },
          { key: null, value: 'second' },
          { key: 'gone', value: null },
        ],
      });
      await producer.disconnect();
      const messages = await readFrom(channel, 'from-kafka', 'first', 3);
      const [first, second, third] = messages;
      assert.deepEqual(textsOf(messages), ['first', 'second', '']);
      assert.equal(first?.fields.routingKey, 'customer-7');
      assert.equal(first?.properties.contentType, 'text/plain');
      assert.equal(first?.properties.messageId, 'k-1');
      assert.equal(first?.properties.headers?.['trace'], 'abc');
      assert.equal(first?.properties.deliveryMode, 2);
      assert.deepEqual(offsetsOf(messages), [0, 1, 2]);
      assert.equal(second?.fields.routingKey, '');
      assert.equal(third?.fields.routingKey, 'gone');
    });

    it('reads topics that Kafka clients made, all their partitions', async () => {
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'wide', numPartitions: 3 }] });
      const send = async (messages: readonly Message[]): Promise<void> => {
        const producer = kafka.producer();
        await producer.connect();
        await producer.send({ topic: 'wide', messages: [...messages] });
        await producer.disconnect();
      };
      await send(numbered('w', 30).map((value, i) => ({ value, partition: i % 3 })));
      const channel = await server.channel();
      await channel.assertQueue('wide', STREAM);
      await channel.prefetch(50);
      const args = { 'x-stream-offset': 'first' };
      const inbox = await consumeInto(channel, 'wide', { arguments: args, acks: 'each' });
      const messages = await inbox.holds(30);
      assert.deepEqual(textsOf(messages).sort(), numbered('w', 30).sort());
      for (const message of messages) {
        const { headers } = message.properties;
        const number = Number(textOf(message).slice(2));
        assert.equal(headers?.['x-stream-partition'], number % 3);
        assert.equal(headers?.['x-stream-offset'], Math.floor(number / 3));
      }
      await admin.createPartitions({ topicPartitions: [{ topic: 'wide', count: 4 }] });
      await send([{ value: 'new', partition: 3 }]);
      assert.equal(textOf((await inbox.holds(31))[30]!), 'new');
      await admin.disconnect();
    });

    it('stores what exchanges route to a stream, once for each of its bindings', async () => {
      const channel = await streamOf('captured', []);
      await channel.assertExchange('events', 'topic');
      await channel.bindQueue('captured', 'events', 'order.#');
      channel.publish('events', 'order.made', Buffer.from('a'), { type: 'made' });
      channel.publish('events', 'invoice.made', Buffer.from('b'));
      await channel.waitForConfirms();
      const [message] = await readFrom(channel, 'captured', 'first', 1);
      assert.equal(message?.fields.exchange, 'events');
      assert.equal(message?.fields.routingKey, 'order.made');
      assert.equal(message?.properties.type, 'made');
      assert.equal((await channel.checkQueue('captured')).messageCount, 1);
    });

    it('keys records by a template, and gives back exactly what was published', async () => {
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] });
      await admin.disconnect();
      const channel = await server.confirmChannel();
      await channel.assertExchange('shop', 'topic');
      await channel.bindQueue('orders', 'shop', 'order.#', {
        'x-key': '{header:customer}/{routing_key}',
      });
      const properties = {
        contentType: 'application/json',
        headers: { customer: 'c-7', amount: 12.5, at: { '!': 'timestamp', value: 1_700_000_000 } },
        priority: 4,
        expiration: '60000',
        correlationId: 'c',
        timestamp: 1_700_000_000,
        userId: 'guest',
        CC: ['copy'],
      };
      channel.publish('shop', 'order.made', Buffer.from('{}'), properties);
      await channel.waitForConfirms();
      const [record] = await consume(kafka, { topic: 'orders', group: 'keys', count: 1 });
      assert.equal(record?.message.key?.toString(), 'c-7/order.made');
      assert.equal(record?.message.headers?.['customer']?.toString(), 'c-7');
      await channel.prefetch(1);
      const [message] = await readFrom(channel, 'orders', 'first', 1);
      const direct = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(direct.queue, 'shop', '#');
      channel.publish('shop', 'order.made', Buffer.from('{}'), properties);
      const queued = await consumeInto(channel, direct.queue, { noAck: true });
      const [expected] = await queued.holds(1);
      const { headers, ...rest } = message?.properties ?? {};
      assert.deepEqual(headers, { ...expected?.properties.headers, 'x-stream-offset': 0 });
      const { headers: _headers, ...expectedRest } = expected?.properties ?? {};
      assert.deepEqual(rest, expectedRest);
      assert.equal(message?.fields.exchange, 'shop');
    });

    it('deletes no topic that others made', async () => {
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'not-mine' }] });
      const channel = await server.channel();
      const refused = await channelError(channel, () => channel.deleteQueue('not-mine'));
      assert.equal(refused.code, 406);
      assert((await admin.listTopics()).includes('not-mine'));
      await admin.disconnect();
    });

    it('ends consumers when the stream is deleted', async () => {
      const channel = await streamOf('ending', ['x']);
      const inbox = await consumeInto(channel, 'ending');
      const other = await server.channel();
      await other.deleteQueue('ending');
      await inbox.cancelled;
      const gone = await channelError(other, () => other.checkQueue('ending'));
      assert.equal(gone.code, 404);
    });

    it('refuses in RabbitMQ words what streams cannot do', async () => {
      await streamOf('strict', ['x']);
      const refusal = async (work: (on: Channel) => unknown): Promise<string> => {
        const on = await server.channel();
        const { code, text } = await channelError(on, () => work(on));
        return `${code} ${text}`;
      };
      const reject = (): void => {};
      assert.equal(
        await refusal((on) => on.consume('strict', reject)),
        "406 PRECONDITION_FAILED - consumer prefetch count is not set for 'queue 'strict' in vhost '/''",
      );
      const offset = { arguments: { 'x-stream-offset': 'sometime' } };
      assert.equal(
        await refusal((on) => on.consume('strict', reject, offset)),
        "406 PRECONDITION_FAILED - invalid arg 'x-stream-offset' for queue 'strict' in vhost '/': " +
          '{invalid_stream_offset_arg,{longstr,<<\\"sometime\\">>}}'.replaceAll('\\', ''),
      );
      assert.equal(
        await refusal((on) => on.assertQueue('strict', { durable: true })),
        "406 PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'strict' in vhost '/': " +
          "received none but current is the value 'stream' of type 'longstr'",
      );
      const older = { 'x-queue-type': 'stream', 'x-max-age': '7D' };
      assert.equal(
        await refusal((on) => on.assertQueue('strict', { durable: true, arguments: older })),
        "406 PRECONDITION_FAILED - inequivalent arg 'x-max-age' for queue 'strict' in vhost '/': " +
          "received the value '7D' of type 'longstr' but current is none",
      );
      for (const work of [
        async (on: Channel) => {
          await on.prefetch(1);
          await on.consume('strict', reject, { noAck: true });
        },
        (on: Channel) => on.get('strict'),
        (on: Channel) => on.purgeQueue('strict'),
      ]) {
        const connection = await server.connect();
        const on = await connection.createChannel();
        on.on('error', () => {});
        assert.equal((await connectionError(connection, () => work(on))).code, 540);
      }
    });

    it('declares with limits, and agrees to what is there already', async () => {
      const channel = await server.channel();
      const args = {
        'x-queue-type': 'stream',
        'x-max-age': '7D',
        'x-max-length-bytes': 1_000_000_000,
        'x-stream-max-segment-size-bytes': 50_000_000,
      };
      await channel.assertQueue('limited', { durable: true, arguments: args });
      await channel.assertQueue('limited', { durable: true, arguments: args });
      const admin = kafka.admin();
      await admin.connect();
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: 'limited',
            configNames: ['retention.ms', 'retention.bytes', 'segment.bytes'],
          },
        ],
      });
      const values = resources[0]?.configEntries.map(({ configValue }) => configValue);
      assert.deepEqual(values?.sort(), ['1000000000', '50000000', '604800000']);
      await admin.createTopics({
        topics: [{ topic: 'by-kafka', configEntries: [{ name: 'retention.ms', value: '60000' }] }],
      });
      await admin.disconnect();
      const stream = { 'x-queue-type': 'stream' };
      const declare = (age: object): unknown =>
        channel.assertQueue('by-kafka', { durable: true, arguments: { ...stream, ...age } });
      await declare({});
      await declare({ 'x-max-age': '1m' });
      const refused = await channelError(channel, () => declare({ 'x-max-age': '2m' }));
      assert.match(refused.text, /inequivalent arg 'x-max-age'.* current is '60s'/);
    });
  });
}
