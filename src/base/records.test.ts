import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BatchBuilder } from './batch-builder.ts';
import { findBatchDefect } from './record-batch.ts';
import { openRecords, type RecordCursor, type RecordHeader } from './records.ts';

interface PlainRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

const MAX_BYTES = 1 << 20;

function cursorOf(batch: Buffer): RecordCursor {
  const cursor = openRecords(batch, 0, MAX_BYTES);
  assert(typeof cursor !== 'string', 'the records can be opened');
  return cursor;
}

function plain(cursor: RecordCursor): PlainRecord[] {
  const records: PlainRecord[] = [];
  const hex = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString('hex'));
  while (cursor.next()) {
    const headers = cursor.headers();
    assert(headers !== null);
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: hex(cursor.key()),
      value: hex(cursor.value()),
      headers: headers.map(({ name, value }) => ({ name, value: hex(value) })),
    });
  }
  return records;
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const nullable = fc.option(bytes, { nil: null });
const record = fc.record({
  key: nullable,
  value: nullable,
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  headers: fc.array(fc.record<RecordHeader>({ name: fc.string(), value: nullable }), {
    maxLength: 3,
  }),
});

describe('records of a batch', () => {
  // Made by the Java client (kafka-clients 4.3.1) from the same records with each of its codecs.
  const fixtures = JSON.parse(
    readFileSync(new URL('../../test/fixtures/record-batches.json', import.meta.url), 'utf8'),
  ) as Record<string, string>;
  const batchOf = (codec: string) => Buffer.from(fixtures[codec] ?? '', 'hex');

  it('are read as the Java client wrote them', () => {
    const records = plain(cursorOf(batchOf('none')));
    assert.equal(records.length, 12);
    const [first, , , , fifth] = records;
    assert.equal(first?.offset, 0);
    assert.equal(first?.timestamp, 1_700_000_000_000);
    assert.equal(first?.key, Buffer.from('key-0').toString('hex'));
    assert.deepEqual(first?.headers, [
      { name: 'trace', value: Buffer.from('t0').toString('hex') },
      { name: 'empty', value: null },
    ]);
    assert.equal(records[3]?.key, null);
    assert.equal(fifth?.value, null);
    assert.equal(records[11]?.offset, 11);
    assert.equal(records[3]?.timestamp, 1_700_000_011_000);
  });

  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    it(`are the same when the Java client compressed them with ${codec}`, () => {
      const batch = batchOf(codec);
      assert.equal(findBatchDefect(batch, 0, batch.length), null);
      assert.deepEqual(plain(cursorOf(batch)), plain(cursorOf(batchOf('none'))));
    });

    it(`are not decompressed with ${codec} beyond the limit`, () => {
      assert.equal(openRecords(batchOf(codec), 0, 100), 'too-large');
    });
  }

  it('come back as they were appended, compressed or not', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        (records, compression) => {
          const builder = new BatchBuilder(64);
          for (const { key, value, timestamp, headers } of records) {
            builder.append(key, value, timestamp, headers);
          }
          const batch = builder.finish({ compression });
          assert.equal(findBatchDefect(batch, 0, batch.length), null);
          const hex = (field: Buffer | null) => field?.toString('hex') ?? null;
          assert.deepEqual(
            plain(cursorOf(batch)),
            records.map(({ key, value, timestamp, headers }, offset) => ({
              offset,
              timestamp,
              key: hex(key),
              value: hex(value),
              headers: headers.map(({ name, value: v }) => ({
                name: Buffer.from(name).toString(),
                value: hex(v),
              })),
            })),
          );
        },
      ),
    );
  });

  it('all have the append time when the broker stamps it', () => {
    const builder = new BatchBuilder();
    builder.append(null, Buffer.from('a'), 1000);
    builder.append(null, Buffer.from('b'), 2000);
    const records = plain(cursorOf(builder.finish({ appendTimeMs: 5000 })));
    assert.deepEqual(
      records.map(({ timestamp }) => timestamp),
      [5000, 5000],
    );
  });

  it('stop at damage, whatever the damage is', () => {
    const builder = new BatchBuilder();
    for (let i = 0; i < 5; i++) builder.append(Buffer.from(`k${i}`), Buffer.from('v'.repeat(9)), i);
    const batch = builder.finish();
    fc.assert(
      fc.property(
        fc.integer({ min: 61, max: batch.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const damaged = Buffer.from(batch);
          damaged[at]! ^= flip;
          const cursor = cursorOf(damaged);
          let count = 0;
          while (cursor.next()) {
            count++;
            assert(cursor.keyEnd <= damaged.length && cursor.valueEnd <= damaged.length);
            cursor.headers();
          }
          assert(count === 5 || cursor.damaged);
        },
      ),
    );
  });

  it('that end early, or late, are damage', () => {
    const builder = new BatchBuilder();
    builder.append(null, Buffer.from('abc'), 0);
    const batch = builder.finish();
    batch.writeInt32BE(2, 57);
    const early = cursorOf(batch);
    assert.equal(early.next(), true);
    assert.equal(early.next(), false);
    assert.equal(early.damaged, true);
    batch.writeInt32BE(0, 57);
    const late = cursorOf(batch);
    assert.equal(late.next(), false);
    assert.equal(late.damaged, true);
  });
});
