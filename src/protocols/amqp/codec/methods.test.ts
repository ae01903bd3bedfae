import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  amqplibCodec,
  anyArgument,
  type ArgumentPair,
} from '../../../../test/support/amqp-values.ts';
import { ArgumentReader } from './argument-reader.ts';
import { AmqpCodecError, replyText } from './codec-error.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import { METHODS, methodById } from './generated/methods.ts';
import { isHardError, REPLY_CODE } from './generated/reply-codes.ts';
import type { AnyMethodCodec } from './method-codec.ts';
import { Output } from './output.ts';
import { OutputPool } from './output-pool.ts';

/** Arguments that are called otherwise in amqplib, and those that we do not show. */
const THEIR_NAMES: Record<string, string> = { noWait: 'nowait', heartbeatSeconds: 'heartbeat' };
const RESERVED = [
  'ticket',
  'capabilities',
  'insist',
  'knownHosts',
  'outOfBand',
  'channelId',
  'clusterId',
];
const LONG_TEXTS = ['mechanisms', 'locales'];

interface Sample {
  readonly method: AnyMethodCodec;
  readonly ours: Record<string, unknown>;
  readonly theirs: Record<string, unknown>;
}

const all: AnyMethodCodec[] = Object.values(METHODS);

/** Any method with any arguments, in our form and in amqplib's. */
const anySample: fc.Arbitrary<Sample> = fc.constantFrom(...all).chain((method) => {
  const pairs: Record<string, fc.Arbitrary<ArgumentPair>> = {};
  for (const { name, type } of amqplibCodec.info(method.id).args) {
    const reserved = RESERVED.includes(name) && method !== METHODS.AccessRequestOk;
    pairs[name] = reserved
      ? fc.constant(reservedPair(type))
      : anyArgument(LONG_TEXTS.includes(name) ? 'longtext' : type);
  }
  return fc.record(pairs).map((values) => {
    const ours: Record<string, unknown> = {};
    const theirs: Record<string, unknown> = {};
    for (const [name, pair] of Object.entries(values)) {
      const ourName = Object.keys(THEIR_NAMES).find((key) => THEIR_NAMES[key] === name) ?? name;
      if (pair.ours !== undefined) ours[ourName] = pair.ours;
      theirs[name] = pair.theirs;
    }
    return { method, ours, theirs };
  });
});

function reservedPair(type: string): ArgumentPair {
  if (type === 'bit') return { ours: undefined, theirs: false };
  if (type === 'short') return { ours: undefined, theirs: 0 };
  return { ours: undefined, theirs: type === 'longstr' ? Buffer.alloc(0) : '' };
}

function frameOf(method: AnyMethodCodec, value: unknown, channel = 7): Buffer {
  const output = new Output(new OutputPool(), null);
  method.write(output, channel, value);
  return output.toBuffer();
}

function readFrame(method: AnyMethodCodec, frame: Buffer): unknown {
  return method.read(new ArgumentReader(frame, FRAME_HEADER_BYTES + 4, frame.length - 1));
}

describe('methods', () => {
  test('every one has an id of its own and is found by it', () => {
    assert.equal(new Set(all.map((method) => method.id)).size, all.length);
    for (const method of all) assert.equal(methodById(method.id), method);
    assert.equal(methodById(0), null);
    assert.equal(METHODS.ExchangeUnbindOk.id, (40 << 16) | 51);
    assert.equal(METHODS.ExchangeUnbindOk.name, 'exchange.unbind-ok');
  });

  test('amqplib writes the same bytes, and reading them gives what was written', () => {
    fc.assert(
      fc.property(anySample, fc.nat(0xffff), ({ method, ours, theirs }, channel) => {
        const frame = frameOf(method, ours, channel);
        const expected = amqplibCodec.encodeMethod(method.id, channel, theirs);
        assert.equal(frame.toString('hex'), expected.toString('hex'), method.name);
        assert.deepEqual(readFrame(method, frame), ours, method.name);
      }),
      { numRuns: 3000 },
    );
  });

  test('truncated or with more behind them they are refused, whatever the place', () => {
    fc.assert(
      fc.property(anySample, ({ method, ours }) => {
        const frame = frameOf(method, ours);
        const from = FRAME_HEADER_BYTES + 4;
        for (let end = from; end < frame.length - 1; end++) {
          const reader = new ArgumentReader(frame, from, end);
          assert.throws(() => method.read(reader), AmqpCodecError, method.name);
        }
        const reader = new ArgumentReader(frame, from);
        assert.throws(() => method.read(reader), AmqpCodecError, method.name);
      }),
    );
  });

  test('of garbage they are read or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.uint8Array({ maxLength: 200 }), (method, bytes) => {
        try {
          method.read(new ArgumentReader(Buffer.from(bytes)));
        } catch (error) {
          assert.ok(error instanceof AmqpCodecError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('a refusal names the bytes as RabbitMQ does', () => {
    assert.throws(() => METHODS.QueuePurge.read(new ArgumentReader(Buffer.from([0, 0, 9]))), {
      code: 'LB5002',
      replyCode: REPLY_CODE.FRAME_ERROR,
      replyText: 'FRAME_ERROR - cannot decode <<0,0,9>>',
    });
    const notUtf8 = Buffer.from([0, 0, 1, 0xff, 0]);
    assert.throws(() => METHODS.QueuePurge.read(new ArgumentReader(notUtf8)), {
      replyText: 'FRAME_ERROR - Malformed UTF-8 in shortstr',
    });
  });

  test('a name that no short string can hold is not written', () => {
    const output = new Output(new OutputPool(), null);
    for (const queue of ['x'.repeat(256), 'é'.repeat(128)]) {
      assert.throws(
        () => METHODS.QueuePurge.write(output, 1, { queue, noWait: false }),
        AmqpCodecError,
      );
      output.dropFrame();
    }
    METHODS.QueuePurge.write(output, 1, { queue: 'é'.repeat(127), noWait: false });
    assert.equal(output.toBuffer().length, 8 + 4 + 2 + 1 + 254 + 1);
  });
});

describe('reply texts', () => {
  test('begin with the name and end within 255 bytes', () => {
    assert.equal(
      replyText(REPLY_CODE.NOT_FOUND, "no queue 'q' in vhost '/'"),
      "NOT_FOUND - no queue 'q' in vhost '/'",
    );
    const long = replyText(REPLY_CODE.NOT_FOUND, 'ü'.repeat(300));
    assert.ok(long.endsWith('ü...'));
    assert.equal(Buffer.byteLength(long), 255);
    assert.ok(isHardError(REPLY_CODE.FRAME_ERROR) && !isHardError(REPLY_CODE.NOT_FOUND));
  });
});
