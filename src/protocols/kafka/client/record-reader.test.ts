import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BatchBuilder } from '../../../base/batch-builder.ts';
import { batchRecordCount, findBatchDefect, writeInt64 } from '../../../base/record-batch.ts';
import type { RecordHeader } from '../../../base/records.ts';
import { forEachBatch, forEachRecord, type StoredRecord } from './record-reader.ts';

interface Given {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  readonly headers: readonly RecordHeader[];
}

const blob = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const maybeBlob = fc.option(blob, { nil: null });
const plain = { noNullPrototype: true } as const;
const header = fc.record(
  { name: fc.string({ unit: 'grapheme', maxLength: 9 }), value: maybeBlob },
  plain,
);
const record: fc.Arbitrary<Given> = fc.record(
  {
    key: maybeBlob,
    value: maybeBlob,
    timestampMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    headers: fc.array(header, { maxLength: 3 }),
  },
  plain,
);

function build(records: readonly Given[], compression: 'none' | 'gzip'): Buffer {
  const builder = new BatchBuilder(1);
  for (const { key, value, timestampMs, headers } of records) {
    builder.append(key, value, timestampMs, headers);
  }
  return builder.finish({ compression });
}

function readAll(bytes: Buffer, fromOffset = 0): StoredRecord[] {
  const records: StoredRecord[] = [];
  forEachRecord(bytes, 0, bytes.length, fromOffset, (stored) => {
    records.push(stored);
    return true;
  });
  return records;
}

test('what was appended is a valid batch and reads back the same', () => {
  const given = fc.array(record, { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(given, fc.constantFrom('none', 'gzip'), (records, compression) => {
      const bytes = build(records, compression);
      assert.equal(findBatchDefect(bytes, 0, bytes.length), null);
      const expected = records.map((one, offset) => ({ offset, ...one }));
      assert.deepEqual(readAll(bytes), expected);
    }),
  );
});

test('reading begins at the wanted offset, stops when told, and leaves a cut batch alone', () => {
  const one = (text: string): Given => ({
    key: null,
    value: Buffer.from(text),
    timestampMs: 1,
    headers: [],
  });
  const first = build([one('a'), one('b'), one('c')], 'none');
  const second = build([one('d'), one('e')], 'gzip');
  writeInt64(second, 3, 0);
  const both = Buffer.concat([first, second]);
  assert.deepEqual(
    readAll(both, 2).map(({ offset }) => offset),
    [2, 3, 4],
  );
  assert.equal(
    forEachRecord(both, 0, both.length, 0, ({ offset }) => offset < 3),
    3,
  );
  for (let cut = first.length; cut < both.length; cut++) {
    let records = 0;
    forEachBatch(both, 0, cut, (at) => (records += batchRecordCount(both, at)));
    assert.equal(records, 3);
  }
});

test('bytes that are no batch are an error, not an endless loop', () => {
  assert.throws(() => readAll(Buffer.alloc(200)), /not of format 2/);
  const bytes = build(
    [{ key: null, value: Buffer.alloc(40), timestampMs: 0, headers: [] }],
    'none',
  );
  bytes[61] = 0xff; // the record's length
  assert.throws(() => readAll(bytes), /the broker sent/);
});
