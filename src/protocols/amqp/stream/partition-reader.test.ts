import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../../../test/support/core-harness.ts';
import { BatchBuilder } from '../../../base/batch-builder.ts';
import type { RecordHeader } from '../../../base/records.ts';
import type { Partition } from '../../../core/partition/partition.ts';
import type { PartitionView } from '../../../core/types.ts';
import type { ReadResult } from '../../../storage/types.ts';
import { silentLogger } from '../../../telemetry/logger.ts';
import { PartitionReader } from './partition-reader.ts';
import { parseStreamFilter } from './stream-filter.ts';
import { parseStreamOffset, resolveStreamOffset } from './stream-offset.ts';

let harness: CoreHarness;
let partition: Partition;
let readers: PartitionReader[];

beforeEach(async () => {
  harness = await CoreHarness.open();
  partition = await harness.partition();
  readers = [];
});

afterEach(async () => {
  for (const reader of readers) reader.close();
  await harness.close();
});

/** Appends a batch and resolves when it is committed. */
async function append(
  texts: readonly string[],
  options: { gzip?: boolean; timeMs?: number; headers?: readonly RecordHeader[] } = {},
): Promise<void> {
  const builder = new BatchBuilder();
  const { gzip = false, timeMs = 1000, headers = [] } = options;
  for (const text of texts) builder.append(null, Buffer.from(text), timeMs, headers);
  const bytes = builder.finish({ compression: gzip ? 'gzip' : 'none' });
  const outcome = partition.appendBatch(bytes, 0, bytes.length);
  assert(outcome.status === 'ok');
  await harness.committed(partition, outcome.position);
}

function readerFrom(
  offset: number,
  options: { of?: PartitionView; onMore?: () => void; decompressedBytesMax?: number } = {},
): PartitionReader {
  const { of = partition, onMore = () => {}, decompressedBytesMax = 1 << 20 } = options;
  const reader = new PartitionReader(of, offset, {
    logger: silentLogger,
    decompressedBytesMax,
    onMore,
  });
  readers.push(reader);
  return reader;
}

/** What the reader gives now, at most so much. */
function take(reader: PartitionReader, count = Infinity): string[] {
  const texts: string[] = [];
  while (texts.length < count && reader.next()) texts.push(String(reader.record?.value()));
  return texts;
}

describe('PartitionReader', () => {
  it('reads batches, compressed or not, from an offset inside of one', async () => {
    await append(['a', 'b', 'c']);
    await append(['d', 'e'], { gzip: true });
    await append(['f']);
    assert.deepEqual(take(readerFrom(0)), ['a', 'b', 'c', 'd', 'e', 'f']);
    assert.deepEqual(take(readerFrom(4)), ['e', 'f']);
    assert.deepEqual(take(readerFrom(6)), []);
  });

  it('goes on where it paused, whatever became of the memory it had read', async () => {
    await append(['a', 'b', 'c', 'd']);
    await append(['e', 'f'], { gzip: true });
    await append(['g']);
    const reader = readerFrom(1);
    const texts: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      texts.push(...take(reader, 1));
      const before = reader.record?.buffer;
      reader.pause();
      assert.equal(reader.lease, null);
      if (turn === 0) assert.notEqual(reader.record?.buffer, before, 'the batch was copied');
    }
    assert.deepEqual(texts, ['b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('tells when there is more, once for each wait', async () => {
    let more = 0;
    const reader = readerFrom(0, { onMore: () => more++ });
    assert.deepEqual(take(reader), []);
    assert.deepEqual(take(reader), []);
    await append(['a']);
    assert.equal(more, 1);
    await append(['b']);
    assert.equal(more, 1, 'it did not look, so it does not wait');
    assert.deepEqual(take(reader), ['a', 'b']);
    reader.close();
    await append(['c']);
    assert.equal(more, 1);
    assert.deepEqual(take(reader), []);
  });

  it('begins with what is left when its place was trimmed away', async () => {
    await append(['a', 'b']);
    await append(['c']);
    const reader = readerFrom(0);
    await partition.deleteRecordsBefore(2);
    assert.deepEqual(take(reader), ['c']);
  });

  it('passes over batches that would decompress to too much, and over damaged ranges', async () => {
    await append(['x'.repeat(5000)], { gzip: true });
    await append(['small']);
    assert.deepEqual(take(readerFrom(0, { decompressedBytesMax: 1000 })), ['small']);
    const damaged: PartitionView = Object.create(partition, {
      read: {
        value: (from: number, options: Parameters<Partition['read']>[1]) =>
          from === 0 ? { status: 'corrupt', resumeOffset: 1 } : partition.read(from, options),
      },
    }) as PartitionView;
    assert.deepEqual(take(readerFrom(0, { of: damaged })), ['small']);
  });

  it('reads what comes late from disk, and misses nothing that came meanwhile', async () => {
    let answer: (result: ReadResult) => void = () => {};
    let slow = true;
    const late: PartitionView = Object.create(partition, {
      read: {
        value: (from: number, options: Parameters<Partition['read']>[1]) => {
          if (!slow) return partition.read(from, options);
          slow = false;
          return new Promise<ReadResult>((resolve) => (answer = resolve));
        },
      },
    }) as PartitionView;
    const texts: string[] = [];
    const reader: PartitionReader = readerFrom(0, {
      of: late,
      onMore: () => void texts.push(...take(reader)),
    });
    assert.deepEqual(take(reader), []);
    await append(['a']);
    assert.deepEqual(texts, []);
    // The log was empty when it was read.
    answer({ status: 'ok', slices: [], bytes: 0 });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(texts, ['a']);
  });
});

describe('where a consumer of a stream begins', () => {
  const nowMs = 10_000_000;

  const resolve = (argument: Parameters<typeof parseStreamOffset>[0]): Promise<number> => {
    const start = parseStreamOffset(argument, nowMs);
    assert(start !== null);
    return resolveStreamOffset(start, partition);
  };

  it('is told by words, numbers and times', async () => {
    await append(['a', 'b'], { timeMs: 1_000_000 });
    await append(['c', 'd'], { timeMs: 5_000_000 });
    await append(['e', 'f'], { timeMs: 9_000_000 });
    await partition.deleteRecordsBefore(2);
    assert.equal(await resolve(null), 6);
    assert.equal(await resolve({ type: 'S', value: 'first' }), 2);
    assert.equal(await resolve({ type: 'S', value: 'next' }), 6);
    assert.equal(await resolve({ type: 'S', value: 'last' }), 4);
    assert.equal(await resolve({ type: 'I', value: 3 }), 3);
    assert.equal(await resolve({ type: 'l', value: 2n ** 62n }), 6);
    assert.equal(await resolve({ type: 'I', value: -5 }), 2);
    assert.equal(await resolve({ type: 'T', value: 6000 }), 4);
    assert.equal(await resolve({ type: 'T', value: 9999 }), 6);
    assert.equal(await resolve({ type: 'S', value: '2h' }), 2);
    assert.equal(await resolve({ type: 'S', value: '20m' }), 4);
  });

  it('is nowhere that has no name', () => {
    for (const value of ['', 'yesterday', '5', '5w']) {
      assert.equal(parseStreamOffset({ type: 'S', value }, nowMs), null, value);
    }
    assert.equal(parseStreamOffset({ type: 't', value: true }, nowMs), null);
    assert.equal(parseStreamOffset({ type: 'd', value: 1.5 }, nowMs), null);
  });

  it('is the end where nothing is', async () => {
    for (const value of ['first', 'last', 'next']) {
      assert.equal(await resolve({ type: 'S', value }), 0);
    }
  });
});

describe('StreamFilter', () => {
  const value = (text: string): readonly RecordHeader[] => [
    { name: 'other', value: null },
    { name: 'x-stream-filter-value', value: Buffer.from(text) },
  ];

  it('looks at the header of the records as they are', async () => {
    await append(['one'], { headers: value('1') });
    await append(['none']);
    await append(['two'], { headers: value('2'), gzip: true });
    const matched = (table: Parameters<typeof parseStreamFilter>[0]): string[] => {
      const filter = parseStreamFilter(table);
      assert(filter !== null && typeof filter !== 'string');
      const reader = readerFrom(0);
      const texts: string[] = [];
      while (reader.next()) {
        const { record } = reader;
        if (record !== null && filter.matches(record)) texts.push(String(record.value()));
      }
      return texts;
    };
    const text = (of: string) => ({ type: 'S', value: of }) as const;
    const wanted = { key: 'x-stream-filter', field: text('2') };
    const unfiltered = {
      key: 'x-stream-match-unfiltered',
      field: { type: 't', value: true },
    } as const;
    assert.deepEqual(matched([wanted]), ['two']);
    assert.deepEqual(matched([wanted, unfiltered]), ['none', 'two']);
    const both = {
      key: 'x-stream-filter',
      field: { type: 'A', value: [text('1'), text('2')] },
    } as const;
    assert.deepEqual(matched([both]), ['one', 'two']);
  });

  it('says which argument is wrong', () => {
    assert.equal(parseStreamFilter([]), null);
    const number = { key: 'x-stream-filter', field: { type: 'I', value: 1 } } as const;
    assert.equal(parseStreamFilter([number]), 'x-stream-filter');
    const filter = { key: 'x-stream-filter', field: { type: 'S', value: 'a' } } as const;
    const yes = { key: 'x-stream-match-unfiltered', field: { type: 'S', value: 'yes' } } as const;
    assert.equal(parseStreamFilter([filter, yes]), 'x-stream-match-unfiltered');
  });
});
