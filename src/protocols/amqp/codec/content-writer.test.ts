import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { amqplibCodec } from '../../../../test/support/amqp-values.ts';
import {
  DeliverPrefix,
  OutgoingContent,
  writeAck,
  writeContent,
  writeDelivery,
  writeGetOk,
  writeNack,
  writeReturn,
} from './content-writer.ts';
import { FrameScanner } from './frame-scanner.ts';
import { METHODS } from './generated/methods.ts';
import { Output, type Sink } from './output.ts';
import { OutputPool, type Lease } from './output-pool.ts';
import { PublishArguments, SettleArguments } from './publish-arguments.ts';

const SECTION = Buffer.from('100002', 'hex'); // delivery mode 2

/** Keeps copies of what it is given, and what it was given by reference. */
class Collector implements Sink {
  readonly pieces: Buffer[] = [];
  readonly references: Buffer[] = [];

  writeShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void {
    if (lease instanceof CountingLease) this.references.push(buffer);
    this.pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

class CountingLease implements Lease {
  retain(): void {}
  release(): void {}
}

/** A message published with that exchange and key, as its publish frame brings it. */
function published(exchange: string, routingKey: string, body: Buffer): OutgoingContent {
  const frame = amqplibCodec.encodeMethod(METHODS.BasicPublish.id, 1, {
    ticket: 0,
    exchange,
    routingKey,
    mandatory: false,
    immediate: false,
  });
  const publish = new PublishArguments();
  publish.parse(frame, 11, frame.length - 1);
  const content = new OutgoingContent();
  content.routing = frame;
  content.routingStart = publish.routingStart;
  content.routingEnd = publish.routingEnd;
  content.section = SECTION;
  content.sectionEnd = SECTION.length;
  content.body = body;
  content.bodyEnd = body.length;
  return content;
}

/** What amqplib's channel would send for the content: a header frame, and the body in frames. */
function theirContent(channel: number, body: Buffer, frameBytesMax: number): Buffer {
  const frames = [amqplibCodec.encodeProperties(60, channel, body.length, { deliveryMode: 2 })];
  for (let at = 0; at < body.length; at += frameBytesMax - 8) {
    const payload = body.subarray(at, at + frameBytesMax - 8);
    const head = Buffer.from([3, channel >> 8, channel & 0xff, 0, 0, 0, 0]);
    head.writeUInt32BE(payload.length, 3);
    frames.push(head, payload, Buffer.from([206]));
  }
  return Buffer.concat(frames);
}

const name = fc.string({ unit: 'grapheme', maxLength: 30 });
const anyBody = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

describe('content', () => {
  test('a delivery is what amqplib would write', () => {
    fc.assert(
      fc.property(
        fc.record({ channel: fc.nat(0xffff), consumerTag: name, deliveryTag: fc.maxSafeNat() }),
        fc.record({ redelivered: fc.boolean(), exchange: name, routingKey: name, body: anyBody }),
        fc.integer({ min: 9, max: 400 }),
        ({ channel, consumerTag, deliveryTag }, message, frameBytesMax) => {
          const { redelivered, exchange, routingKey, body } = message;
          const output = new Output(new OutputPool(), null);
          output.frameBytesMax = frameBytesMax;
          const content = published(exchange, routingKey, body);
          const prefix = new DeliverPrefix(channel, consumerTag);
          writeDelivery(output, prefix, deliveryTag, redelivered, content);
          const fields = { consumerTag, deliveryTag, redelivered, exchange, routingKey };
          const expected = Buffer.concat([
            amqplibCodec.encodeMethod(METHODS.BasicDeliver.id, channel, fields),
            theirContent(channel, body, frameBytesMax),
          ]);
          assert.equal(output.toBuffer().toString('hex'), expected.toString('hex'));
        },
      ),
    );
  });

  test('get-ok and return are what amqplib would write', () => {
    const body = Buffer.from('hello');
    const content = published('ex', 'key', body);
    const output = new Output(new OutputPool(), null);
    writeGetOk(output, 3, { deliveryTag: 9, redelivered: true, messageCount: 70_000 }, content);
    writeReturn(output, 3, { replyCode: 312, replyText: 'NO_ROUTE' }, content);
    const names = { exchange: 'ex', routingKey: 'key' };
    const expected = Buffer.concat([
      amqplibCodec.encodeMethod(METHODS.BasicGetOk.id, 3, {
        deliveryTag: 9,
        redelivered: true,
        messageCount: 70_000,
        ...names,
      }),
      theirContent(3, body, 4096),
      amqplibCodec.encodeMethod(METHODS.BasicReturn.id, 3, {
        replyCode: 312,
        replyText: 'NO_ROUTE',
        ...names,
      }),
      theirContent(3, body, 4096),
    ]);
    assert.equal(output.toBuffer().toString('hex'), expected.toString('hex'));
  });

  test('acks are what the generated writers write', () => {
    const output = new Output(new OutputPool(), null);
    const generated = new Output(new OutputPool(), null);
    for (const deliveryTag of [0, 1, 0xffff_ffff, Number.MAX_SAFE_INTEGER]) {
      for (const multiple of [false, true]) {
        writeAck(output, 300, deliveryTag, multiple);
        METHODS.BasicAck.write(generated, 300, { deliveryTag, multiple });
        writeNack(output, 300, deliveryTag, multiple);
        METHODS.BasicNack.write(generated, 300, { deliveryTag, multiple, requeue: false });
      }
    }
    assert.deepEqual(output.toBuffer(), generated.toBuffer());
  });

  test('a large body under a lease goes out by reference, cut into frames', () => {
    const sink = new Collector();
    const output = new Output(new OutputPool(), sink);
    output.frameBytesMax = 16_384;
    const body = Buffer.alloc(50_000, 'lyrebird');
    const content = published('', 'q', body);
    writeContent(output, 1, content);
    content.lease = new CountingLease();
    writeContent(output, 1, content);
    output.flush();
    const expected = theirContent(1, body, 16_384);
    assert.ok(sink.bytes.equals(Buffer.concat([expected, expected])));
    // The last of the four pieces is too small to be worth it.
    assert.equal(sink.references.length, 3);
    assert.ok(sink.references.every((buffer) => buffer === body));
  });
});

describe('Output', () => {
  test('gives the sink everything once and in order, whatever the size of its chunks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(anyBody), (chunkBytes, bodies) => {
        const sink = new Collector();
        const output = new Output(new OutputPool({ chunkBytes, unusedMax: 4 }), sink);
        const whole = new Output(new OutputPool(), null);
        for (const body of bodies) {
          for (const target of [output, whole]) {
            METHODS.QueueBind.write(target, 1, {
              queue: 'q'.repeat(body.length % 200),
              exchange: '',
              routingKey: 'é'.repeat(body.length % 100),
              noWait: true,
              arguments: [{ key: 'k', field: { type: 'x', value: body } }],
            });
            writeContent(target, 1, published('', 'q', body));
            target.heartbeat();
          }
        }
        output.flush();
        assert.equal(output.pending, 0);
        assert.deepEqual(sink.bytes, whole.toBuffer());
      }),
    );
  });

  test('uses a chunk again only when nobody sends it any more', () => {
    const held: Lease[] = [];
    const sink: Sink = {
      writeShared: (_buffer, _start, _end, lease) => {
        lease?.retain();
        if (lease !== null) held.push(lease);
      },
    };
    const pool = new OutputPool({ chunkBytes: 64, unusedMax: 4 });
    const output = new Output(pool, sink);
    const memories = new Set<Buffer>();
    for (let i = 0; i < 3; i++) {
      output.heartbeat();
      memories.add(output.memory);
      output.flush();
    }
    assert.equal(memories.size, 3);
    for (const lease of held) lease.release();
    output.heartbeat();
    assert.ok(memories.has(output.memory));
    output.discard();
    assert.equal(held.length, 3);
  });

  test('a frame that was dropped leaves nothing behind', () => {
    const output = new Output(new OutputPool(), null);
    output.heartbeat();
    const before = output.toBuffer();
    output.beginMethod(1, METHODS.QueuePurge.id);
    output.shortstr('half');
    output.dropFrame();
    output.dropFrame();
    assert.deepEqual(output.toBuffer(), before);
  });
});

describe('arguments read in place', () => {
  test('of publish are where the reader finds them', () => {
    const publish = new PublishArguments();
    fc.assert(
      fc.property(
        name,
        name,
        fc.boolean(),
        fc.boolean(),
        (exchange, routingKey, mandatory, immediate) => {
          const output = new Output(new OutputPool(), null);
          METHODS.BasicPublish.write(output, 1, { exchange, routingKey, mandatory, immediate });
          const frame = output.toBuffer();
          const end = frame.length - 1;
          publish.parse(frame, 11, end);
          const text = (from: number, to: number): string => frame.toString('utf8', from, to);
          assert.equal(text(publish.exchangeStart, publish.exchangeEnd), exchange);
          assert.equal(text(publish.routingKeyStart, publish.routingKeyEnd), routingKey);
          assert.deepEqual([publish.mandatory, publish.immediate], [mandatory, immediate]);
          for (let cut = 11; cut < end; cut++) {
            assert.throws(() => publish.parse(frame.subarray(0, cut), 11, cut), { code: 'LB5002' });
            assert.throws(() => publish.parse(frame, 11, cut), { code: 'LB5002' });
          }
          assert.throws(() => publish.parse(frame, 11, end + 1), { code: 'LB5002' });
        },
      ),
    );
  });

  test('of ack, nack and reject are what was written', () => {
    const settle = new SettleArguments();
    const scanner = new FrameScanner(4096);
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.boolean(), fc.boolean(), (deliveryTag, multiple, requeue) => {
        const output = new Output(new OutputPool(), null);
        METHODS.BasicAck.write(output, 1, { deliveryTag, multiple });
        METHODS.BasicNack.write(output, 1, { deliveryTag, multiple, requeue });
        METHODS.BasicReject.write(output, 1, { deliveryTag, requeue });
        const bytes = output.toBuffer();
        const parse = ['parseAck', 'parseNack', 'parseReject'] as const;
        let at = 0;
        for (const method of parse) {
          at = scanner.scan(bytes, at, bytes.length);
          settle[method](bytes, scanner.start + 4, scanner.end);
          assert.deepEqual(
            [settle.deliveryTag, settle.multiple, settle.requeue],
            [deliveryTag, method !== 'parseReject' && multiple, method !== 'parseAck' && requeue],
          );
        }
        assert.throws(() => settle.parseAck(bytes, 11, 19), { code: 'LB5002' });
      }),
    );
  });
});
