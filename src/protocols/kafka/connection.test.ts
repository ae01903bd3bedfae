import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { makeBatch } from '../../../test/support/kafka-batches.ts';
import { createTopic, fetchRequest } from '../../../test/support/kafka-calls.ts';
import {
  encodeRequest,
  FakeConnection,
  openTestBroker,
} from '../../../test/support/kafka-test-broker.ts';
import type { TestBroker } from '../../../test/support/kafka-test-broker.ts';
import { API_CODECS } from './codec/generated/apis.ts';
import { ZERO_UUID } from './codec/records.ts';

/** Lets commits and deferred work of the broker happen. */
const settle = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('KafkaConnection', () => {
  let tested: TestBroker;

  before(async () => {
    tested = await openTestBroker({ maxInFlightRequests: 4, maxRequestBytes: 10_000 });
    await createTopic(tested.connect(), 'orders', 1);
  });

  after(() => tested.close());

  const open = (): { connection: FakeConnection; handler: ReturnType<typeof accept> } => {
    const connection = new FakeConnection(1000);
    return { connection, handler: accept(connection) };
  };
  const accept = (connection: FakeConnection) => tested.frontend.accept(connection);

  /** What a client says that reads what there is: no answer depends on when it comes. */
  const conversation = (): Buffer =>
    Buffer.concat([
      encodeRequest(API_CODECS.ApiVersions, 3, 1, {
        clientSoftwareName: 'split',
        clientSoftwareVersion: '1',
      }),
      encodeRequest(API_CODECS.Metadata, 9, 2, {
        topics: [{ name: 'orders', topicId: ZERO_UUID }],
        allowAutoTopicCreation: false,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: true,
      }),
      encodeRequest(API_CODECS.Fetch, 11, 3, fetchRequest([{ topic: 'orders', offset: 0 }])),
      encodeRequest(API_CODECS.DescribeCluster, 1, 4, {
        includeClusterAuthorizedOperations: true,
        endpointType: 1,
        includeFencedBrokers: false,
      }),
    ]);

  /** Feeds pieces as the transport does: what was not consumed is presented again, with what follows. */
  const feedPieces = async (pieces: readonly Buffer[]): Promise<Buffer> => {
    const { connection, handler } = open();
    let rest: Buffer = Buffer.alloc(0);
    for (const piece of pieces) {
      rest = Buffer.concat([rest, piece]);
      const consumed = handler.onData(rest, 0, rest.length);
      rest = rest.subarray(consumed);
      assert.ok(handler.bytesWanted() === 0 || handler.bytesWanted() > rest.length);
    }
    await settle();
    handler.onClose('peer');
    return Buffer.concat(connection.output);
  };

  it('answers the same wherever the network cuts the requests', async () => {
    const whole = conversation();
    const expected = await feedPieces([whole]);
    for (let cut = 1; cut < whole.length; cut++) {
      const output = await feedPieces([whole.subarray(0, cut), whole.subarray(cut)]);
      assert.ok(output.equals(expected), `cut at ${cut}`);
    }
    const bytes = [...whole].map((byte) => Buffer.from([byte]));
    assert.ok((await feedPieces(bytes)).equals(expected), 'byte by byte');
  });

  it('survives garbage: answers, waits or closes, and never throws', async () => {
    const starts = [conversation(), Buffer.alloc(0)];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.uint8Array({ maxLength: 200 }),
        async (start, garbage) => {
          const { connection, handler } = open();
          const bytes = Buffer.concat([start, Buffer.from(garbage)]);
          const consumed = handler.onData(bytes, 0, bytes.length);
          assert.ok(consumed >= 0 && consumed <= bytes.length);
          await settle();
          handler.onClose('peer');
          assert.ok(connection.closedWith === null || connection.closedWith === 'handler');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('survives requests with bytes flipped', async () => {
    const request = encodeRequest(API_CODECS.Produce, 9, 1, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 'orders',
          topicId: ZERO_UUID,
          partitionData: [{ index: 0, records: makeBatch(['a', 'b']) }],
        },
      ],
    });
    for (let at = 4; at < request.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const { handler } = open();
        const bytes = Buffer.from(request);
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        handler.onData(bytes, 0, bytes.length);
        handler.onClose('peer');
      }
    }
    await settle();
  });

  it('closes on frames that are too large, too short or of another protocol, and says why', () => {
    const cases: [Buffer, RegExp][] = [
      [Buffer.from([0x7f, 0xff, 0xff, 0xff]), /larger than 10000/],
      [Buffer.from([0, 0, 0, 3, 0, 0, 0]), /too short/],
      [Buffer.from([0xff, 0xff, 0xff, 0xff]), /too short/],
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'), /HTTP/],
      [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), /TLS/],
    ];
    for (const [bytes, why] of cases) {
      const { connection, handler } = open();
      assert.equal(handler.onData(bytes, 0, bytes.length), bytes.length);
      assert.equal(connection.closedWith, 'handler');
      const line = tested.logger.of('kafka.request.refused').at(-1);
      assert.match(String(line?.['why']), why);
    }
  });

  it('closes on APIs and versions that are not served', () => {
    for (const [key, version] of [
      [4, 0],
      [500, 0],
      [-1, 0],
      [3, 99],
      [1, 3],
    ] as const) {
      const { connection, handler } = open();
      const frame = Buffer.alloc(14);
      frame.writeInt32BE(10, 0);
      frame.writeInt16BE(key, 4);
      frame.writeInt16BE(version, 6);
      frame.writeInt16BE(-1, 12);
      handler.onData(frame, 0, frame.length);
      assert.equal(connection.closedWith, 'handler', `API ${key} v${version}`);
    }
  });

  it('stops reading at the limit of requests under way, and goes on below it', () => {
    const { connection, handler } = open();
    const one = encodeRequest(
      API_CODECS.Fetch,
      11,
      1,
      fetchRequest([{ topic: 'orders', offset: 0 }], { maxWaitMs: 30_000, minBytes: 1_000_000 }),
    );
    const six = Buffer.concat(Array.from({ length: 6 }, () => one));
    assert.equal(handler.onData(six, 0, six.length), 4 * one.length);
    assert.deepEqual([...connection.paused], ['in-flight']);
    handler.onShutdown();
    assert.deepEqual([...connection.paused], []);
    assert.equal(connection.output.length > 0, true);
    handler.onClose('shutdown');
  });

  it('asks for the bytes of a large request at once', () => {
    const { handler } = open();
    const head = Buffer.alloc(8);
    head.writeInt32BE(9000, 0);
    assert.equal(handler.onData(head, 0, head.length), 0);
    assert.equal(handler.bytesWanted(), 9004);
    handler.onClose('peer');
  });

  it('tells clients the address that they reached, or the configured one', async () => {
    const { brokers } = await tested.connect().call(API_CODECS.Metadata, 1, {
      topics: [],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    assert.deepEqual([brokers[0]?.host, brokers[0]?.port], ['127.0.0.1', 9092]);
    const configured = await openTestBroker({
      advertised: { kafka: { host: 'kafka.example.org', port: 19_092 } },
    });
    const answer = await configured.connect().call(API_CODECS.DescribeCluster, 1, {
      includeClusterAuthorizedOperations: false,
      endpointType: 1,
      includeFencedBrokers: false,
    });
    assert.deepEqual(
      [answer.brokers[0]?.host, answer.brokers[0]?.port],
      ['kafka.example.org', 19_092],
    );
    await configured.close();
  });
});
