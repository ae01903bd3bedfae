import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findBatchDefect, stampBatch } from '../../base/record-batch.ts';
import { BatchWindow } from './batch-window.ts';
import { BufferPool } from './buffer-pool.ts';
import { Bundle } from './bundle.ts';
import { EnvelopeReader, EnvelopeWriter } from './envelope.ts';
import { Message, type Death } from './message.ts';

const death: fc.Arbitrary<Death> = fc.record(
  {
    queue: fc.string(),
    reason: fc.constantFrom('rejected', 'expired', 'maxlen', 'delivery_limit'),
    count: fc.nat(),
    timeMs: fc.nat(),
    exchange: fc.string(),
    routingKeys: fc.array(fc.string()),
    originalTtlMs: fc.option(fc.nat()),
  },
  { noNullPrototype: true },
);

const message: fc.Arbitrary<Message> = fc
  .record({
    exchange: fc.string({ unit: 'grapheme' }),
    routingKey: fc.string({ unit: 'grapheme', maxLength: 300 }),
    furtherKeys: fc.option(fc.array(fc.string())),
    properties: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    body: fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes)),
    persistent: fc.boolean(),
    priority: fc.integer({ min: -1, max: 255 }),
    ttlMs: fc.integer({ min: -1, max: 2 ** 40 }),
    publishedMs: fc.nat(2 ** 41),
    deaths: fc.option(fc.array(death)),
    deduplicationKey: fc.option(fc.string()),
  })
  .map((fields) =>
    Object.assign(new Message(), fields, {
      propertiesEnd: fields.properties.length,
      bodyEnd: fields.body.length,
    }),
  );

function plain(from: Message): object {
  const { properties, propertiesStart, propertiesEnd, body, bodyStart, bodyEnd, ...rest } = from;
  return {
    ...rest,
    properties: properties.toString('hex', propertiesStart, propertiesEnd),
    body: body.toString('hex', bodyStart, bodyEnd),
  };
}

describe('a bundle', () => {
  it('gives back every message, while it grows and as a stored batch', () => {
    const writer = new EnvelopeWriter();
    const reader = new EnvelopeReader();
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), (messages) => {
        const pool = new BufferPool({ spareBytesMax: 1 << 20 });
        const bundle = new Bundle(pool);
        const growing = new BatchWindow();
        const read = new Message();
        messages.forEach((one, i) => {
          bundle.add(one, writer, null);
          if (i === 0) growing.openBundle(bundle, 100);
          assert(growing.seek(100 + i));
          assert(growing.read(read, reader));
          assert.deepEqual(plain(read), plain(one));
        });
        bundle.finish({ checksum: true });
        assert.equal(findBatchDefect(bundle.buffer, 0, bundle.end), null);
        stampBatch(bundle.buffer, 0, 5000, 1);
        const stored = new BatchWindow();
        stored.openSlices([{ buffer: bundle.buffer, start: 0, end: bundle.end, lease: null }]);
        for (const i of [...messages.keys()].reverse()) {
          assert(stored.seek(5000 + i));
          stored.read(read, reader);
          assert.deepEqual(plain(read), plain(messages[i]!));
        }
        assert.equal(stored.seek(5000 + messages.length), false);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps when a delayed message is due', () => {
    const bundle = new Bundle(new BufferPool({ spareBytesMax: 0 }));
    const reader = new EnvelopeReader();
    bundle.add(new Message(), new EnvelopeWriter(), { dueMs: 2 ** 41 + 7, exchange: 'later' });
    const window = new BatchWindow();
    window.openBundle(bundle, 0);
    assert(window.seek(0) && window.read(new Message(), reader));
    assert.deepEqual([reader.dueMs, reader.delayedBy], [2 ** 41 + 7, 'later']);
  });
});
