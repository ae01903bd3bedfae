import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AmqpCodecError, unexpectedFrame } from './codec-error.ts';
import { FRAME_OVERHEAD_BYTES } from './frame.ts';
import { FrameScanner, SCAN_FAILED, SCAN_INCOMPLETE } from './frame-scanner.ts';
import { detectProtocol, PROTOCOL_HEADER, type DetectedProtocol } from './protocol-header.ts';

interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

function encode({ type, channel, payload }: Frame): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([206])]);
}

const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    type: fc.constantFrom(1, 2, 3, 8),
    channel: fc.nat(0xffff),
    payload: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
);

/** Scans what arrives in two pieces, as a connection does: the second call sees what the first one left. */
function scanAll(scanner: FrameScanner, bytes: Buffer, split: number): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  for (const end of [split, bytes.length]) {
    for (;;) {
      const next = scanner.scan(bytes, at, end);
      if (next < 0) {
        assert.equal(next, SCAN_INCOMPLETE);
        if (end === bytes.length) assert.equal(at, end);
        else assert.ok(scanner.bytesWanted > end - at);
        break;
      }
      const payload = Buffer.from(bytes.subarray(scanner.start, scanner.end));
      frames.push({ type: scanner.type, channel: scanner.channel, payload });
      at = next;
    }
  }
  return frames;
}

describe('FrameScanner', () => {
  test('finds the frames wherever the network cuts them', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 5 }), (frames) => {
        const bytes = Buffer.concat(frames.map(encode));
        for (let split = 0; split <= bytes.length; split++) {
          assert.deepEqual(scanAll(new FrameScanner(4096), bytes, split), frames);
        }
      }),
    );
  });

  test('refuses a frame that is too large as soon as its length is there', () => {
    const scanner = new FrameScanner(4096);
    const head = encode({ type: 3, channel: 1, payload: Buffer.alloc(4097) }).subarray(0, 7);
    assert.equal(scanner.scan(head, 0, 7), SCAN_FAILED);
    assert.equal(
      scanner.error?.replyText,
      'FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,4097,4088}',
    );
    // A little too large is let through, as RabbitMQ does.
    const frame = encode({ type: 3, channel: 1, payload: Buffer.alloc(4096) });
    assert.equal(scanner.scan(frame, 0, frame.length), frame.length);
  });

  test('refuses a frame that does not end with 206', () => {
    const scanner = new FrameScanner(4096);
    const frame = encode({ type: 1, channel: 1, payload: Buffer.from('hello') });
    frame[frame.length - 1] = 7;
    assert.equal(scanner.scan(frame, 0, frame.length), SCAN_FAILED);
    assert.equal(
      scanner.error?.replyText,
      'FRAME_ERROR - type 1, all octets = <<"hello">>: {invalid_frame_end_marker,7}',
    );
  });

  test('tells the method, or that there is none', () => {
    const scanner = new FrameScanner(4096);
    const frame = encode({ type: 1, channel: 1, payload: Buffer.from('003c0028', 'hex') });
    scanner.scan(frame, 0, frame.length);
    assert.equal(scanner.methodId(frame), 0x3c0028);
    const short = encode({ type: 1, channel: 1, payload: Buffer.from('003c00', 'hex') });
    scanner.scan(short, 0, short.length);
    assert.equal(scanner.methodId(short), 0);
  });

  test('describes a frame that is out of place', () => {
    const buffer = Buffer.alloc(20, 9);
    const { replyText } = unexpectedFrame({ type: 8, buffer, start: 0, end: 20 });
    assert.match(replyText, /^UNEXPECTED_FRAME - type 8, first 16 octets = <<9,9,/);
  });

  test('of garbage it finds frames, wants more, or fails: never outside its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
        const bytes = Buffer.from(array);
        const scanner = new FrameScanner(256);
        let at = 0;
        for (;;) {
          const next = scanner.scan(bytes, at, bytes.length);
          if (next < 0) {
            if (next === SCAN_FAILED) assert.ok(scanner.error instanceof AmqpCodecError);
            else assert.ok(scanner.bytesWanted <= 256 + FRAME_OVERHEAD_BYTES);
            return;
          }
          assert.ok(next > at && next <= bytes.length && scanner.end === next - 1);
          at = next;
        }
      }),
    );
  });
});

describe('detectProtocol', () => {
  const cases: [DetectedProtocol, Buffer][] = [
    ['amqp-0-9-1', PROTOCOL_HEADER],
    ['amqp-0-9', Buffer.from('AMQP\x01\x01\x00\x09')],
    ['amqp-1-0', Buffer.from('AMQP\x00\x01\x00\x00')],
    ['amqp-1-0-tls', Buffer.from('AMQP\x02\x01\x00\x00')],
    ['amqp-1-0-sasl', Buffer.from('AMQP\x03\x01\x00\x00')],
    ['amqp-other', Buffer.from('AMQP\x01\x01\x08\x00')],
    ['tls', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1])],
    ['http', Buffer.from('GET / HTTP/1.1\r\n')],
    ['http', Buffer.from('POST /api')],
    ['unknown', Buffer.from('MQIsdp')],
    ['unknown', Buffer.from([0, 0, 0, 20, 0, 18])],
    ['unknown', Buffer.from([0x16, 9])],
  ];

  test('knows what a client speaks, and waits as long as it may still be something', () => {
    for (const [expected, bytes] of cases) {
      assert.equal(detectProtocol(bytes, 0, bytes.length), expected);
      const answers = Array.from({ length: bytes.length }, (_, end) =>
        detectProtocol(bytes, 0, end),
      );
      const first = answers.findIndex((answer) => answer !== 'incomplete');
      assert.ok(first === -1 || answers.slice(first).every((answer) => answer === expected));
    }
  });
});
