import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  CoreHarness,
  batchOf,
  bytesOf,
  NAMESPACE,
  partitionOf,
} from '../../../test/support/core-harness.ts';
import {
  batchAttributes,
  batchBaseOffset,
  batchLeaderEpoch,
  batchMaxTimestamp,
  computeBatchCrc,
  findBatchDefect,
} from '../../base/record-batch.ts';
import type { AppendOutcome, TopicConfig } from '../types.ts';
import type { Partition } from './partition.ts';

const READ_ALL = { maxBytes: 1 << 20, atLeastOneBatch: true, isolation: 'uncommitted' } as const;
const DAY_MS = 86_400_000;

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open();
});

afterEach(() => harness.close());

function status(partition: Partition, batch: Buffer): AppendOutcome['status'] {
  return partition.appendBatch(batch, 0, batch.length).status;
}

/** The batch after a change of its bytes, with a checksum that is right again. */
function altered(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch);
  change(copy);
  copy.writeUInt32BE(computeBatchCrc(copy, 0, copy.length), 17);
  return copy;
}

describe('appending to a partition', () => {
  it('stamps offset and epoch, and is visible when committed', async () => {
    const partition = await harness.partition();
    const first = batchOf(['a', 'b', 'c']);
    first.writeInt32BE(777, 12); // what clients send as leader epoch means nothing
    const outcome = partition.appendBatch(first, 0, first.length);
    assert.equal(outcome.status, 'ok');
    assert('appendTimeMs' in outcome);
    assert.equal(outcome.baseOffset, 0);
    assert.equal(outcome.appendTimeMs, -1);
    assert.equal(partition.highWatermark, 0);
    await harness.committed(partition, outcome.position);
    assert.equal(partition.highWatermark, 3);
    assert.equal(partition.lastStableOffset, 3);
    assert.equal(await harness.append(partition, batchOf(['d'])), 3);
    const stored = bytesOf(await partition.read(3, READ_ALL));
    assert.equal(batchBaseOffset(stored, 0), 3);
    assert.equal(batchLeaderEpoch(stored, 0), partition.leaderEpoch);
    assert.equal(findBatchDefect(stored, 0, stored.length), null);
  });

  it('takes a batch from the middle of a buffer', async () => {
    const partition = await harness.partition();
    const batch = batchOf(['a']);
    const buffer = Buffer.concat([Buffer.alloc(5, 1), batch, Buffer.alloc(7, 2)]);
    assert.equal(partition.appendBatch(buffer, 5, 5 + batch.length).status, 'ok');
  });

  it('refuses what is no good batch', async () => {
    const partition = await harness.partition();
    const good = batchOf([{ key: 'k', value: 'v' }]);
    const producer = { id: 1, epoch: 0, baseSequence: 0 };
    const cases: [string, Buffer, AppendOutcome['status']][] = [
      ['a cut batch', good.subarray(0, -1), 'corrupt'],
      ['nothing', Buffer.alloc(0), 'corrupt'],
      ['garbage', Buffer.alloc(100, 0x22), 'old-format'],
      ['two batches', Buffer.concat([good, good]), 'corrupt'],
      ['a wrong checksum', withByte(good, good.length - 1), 'corrupt'],
      ['an old format', altered(good, (b) => b.writeInt8(1, 16)), 'old-format'],
      ['a base offset', altered(good, (b) => b.writeInt32BE(1, 4)), 'invalid-record'],
      ['control records', altered(good, (b) => b.writeInt16BE(0x20, 21)), 'invalid-record'],
      ['a transaction', altered(good, (b) => b.writeInt16BE(0x10, 21)), 'invalid-record'],
      ['an unknown codec', altered(good, (b) => b.writeInt16BE(5, 21)), 'invalid-record'],
      ['a delete horizon', altered(good, (b) => b.writeInt16BE(0x40, 21)), 'invalid-record'],
      ['append time', altered(good, (b) => b.writeInt16BE(0x08, 21)), 'invalid-timestamp'],
      ['no records', altered(good, (b) => setCount(b, 0)), 'invalid-record'],
      ['a billion records', altered(good, (b) => setCount(b, 1e9)), 'invalid-record'],
      ['a count of its own', altered(good, (b) => b.writeInt32BE(9, 57)), 'invalid-record'],
      [
        'a producer without sequence',
        batchOf(['v'], { producer: { ...producer, baseSequence: -1 } }),
        'invalid-record',
      ],
      [
        'a producer without epoch',
        batchOf(['v'], { producer: { ...producer, epoch: -1 } }),
        'invalid-record',
      ],
    ];
    for (const [what, batch, expected] of cases) {
      assert.equal(status(partition, batch), expected, what);
    }
    assert.equal(harness.engine.pendingEnd(partition.log), 0);
  });

  it('refuses batches above the limit of the topic', async () => {
    const batch = batchOf(['x'.repeat(100)]);
    const partition = await harness.partition({ maxMessageBytes: batch.length });
    assert.equal(status(partition, batch), 'ok');
    assert.equal(status(partition, batchOf(['x'.repeat(101)])), 'too-large');
  });

  it('refuses timestamps outside the window', async () => {
    const partition = await harness.partition({
      timestampBeforeMaxMs: DAY_MS,
      timestampAfterMaxMs: 1000,
    });
    const now = harness.clock.wallMs();
    const at = (...timestamps: number[]) => batchOf(timestamps.map((timestamp) => ({ timestamp })));
    assert.equal(status(partition, at(now)), 'ok');
    assert.equal(status(partition, at(now - DAY_MS, now + 1000)), 'ok');
    assert.equal(status(partition, at(now - DAY_MS - 1)), 'invalid-timestamp');
    assert.equal(status(partition, at(now, now + 1001)), 'invalid-timestamp');
    assert.equal(status(partition, at(-1)), 'ok');
  });

  it('stamps append time with a checksum that is right again', async () => {
    const partition = await harness.partition({
      timestampType: 'append',
      timestampBeforeMaxMs: 0,
    });
    const now = harness.clock.wallMs();
    const batch = batchOf([{ timestamp: 5 }]);
    const outcome = partition.appendBatch(batch, 0, batch.length);
    assert(outcome.status === 'ok');
    assert.equal(outcome.appendTimeMs, now);
    await harness.committed(partition, outcome.position);
    const stored = bytesOf(await partition.read(0, READ_ALL));
    assert.equal(batchAttributes(stored, 0) & 0x08, 0x08);
    assert.equal(batchMaxTimestamp(stored, 0), now);
    assert.equal(findBatchDefect(stored, 0, stored.length), null);
  });

  it('wants keys where the topic does, also inside compressed batches', async () => {
    const partition = await harness.partition({ requireKey: true });
    for (const compression of ['none', 'gzip'] as const) {
      const keyed = batchOf([{ key: 'a' }, { key: '' }], { compression });
      assert.equal(status(partition, keyed), 'ok');
      const keyless = batchOf([{ key: 'a' }, { key: null }], { compression });
      assert.equal(status(partition, keyless), 'key-required');
    }
    const mixed = batchOf([{ key: null }, { key: 'a' }, { key: null }]);
    const refusal = partition.appendBatch(mixed, 0, mixed.length);
    assert.deepEqual('badRecords' in refusal && refusal.badRecords, [0, 2]);
    const garbled = altered(batchOf([{ key: 'a' }], { compression: 'gzip' }), (b) => b.fill(0, 61));
    assert.equal(status(partition, garbled), 'corrupt');
  });

  it('appends a batch of an idempotent producer once', async () => {
    const partition = await harness.partition();
    const batch = (baseSequence: number, epoch = 0) =>
      batchOf(['a', 'b'], { producer: { id: 9, epoch, baseSequence } });
    assert.equal(await harness.append(partition, batch(0)), 0);
    assert.equal(await harness.append(partition, batch(2)), 2);
    const again = batch(0);
    const outcome = partition.appendBatch(again, 0, again.length);
    assert(outcome.status === 'duplicate');
    assert.equal(outcome.baseOffset, 0);
    await harness.committed(partition, outcome.position);
    assert.equal(status(partition, batch(6)), 'out-of-order-sequence');
    assert.equal(await harness.append(partition, batch(0, 1)), 4);
    assert.equal(status(partition, batch(4)), 'producer-fenced');
    assert.deepEqual(partition.producers(), [
      { producerId: 9, epoch: 1, lastSequence: 1, lastTimestamp: 1_700_000_000_000 },
    ]);
  });

  it('remembers nothing of a batch that storage refused', async () => {
    await harness.close();
    harness = await CoreHarness.open();
    const partition = await harness.partition();
    await harness.engine.close('drain');
    const batch = batchOf(['a'], { producer: { id: 9, epoch: 0, baseSequence: 0 } });
    assert.equal(status(partition, batch), 'closed');
    assert.deepEqual(partition.producers(), []);
  });

  it('is refused once the topic is deleted', async () => {
    const partition = await harness.partition();
    await harness.broker.topics.delete(NAMESPACE, 't');
    assert.equal(status(partition, batchOf(['a'])), 'not-owner');
    assert.equal(partition.endOffsetForEpoch(1), null);
    assert.deepEqual(partition.producers(), []);
  });
});

describe('waiting for a partition', () => {
  it('ends once, when data is committed', async () => {
    const partition = await harness.partition();
    let woken = 0;
    partition.addWaiter({ onData: () => woken++ });
    await harness.append(partition, batchOf(['a']));
    await harness.append(partition, batchOf(['b']));
    assert.equal(woken, 1);
  });

  it('can be given up', async () => {
    const partition = await harness.partition();
    const woken: string[] = [];
    const waiter = (name: string) => ({ onData: () => woken.push(name) });
    const [a, b, c] = [waiter('a'), waiter('b'), waiter('c')];
    for (const each of [a, b, c]) partition.addWaiter(each);
    partition.removeWaiter(a);
    partition.removeWaiter(a);
    await harness.append(partition, batchOf(['x']));
    assert.deepEqual(woken.sort(), ['b', 'c']);
  });

  it('goes on for who waits again, and ends for who is removed, while others are woken', async () => {
    const partition = await harness.partition();
    const woken: string[] = [];
    const last = { onData: () => woken.push('last') };
    const again = {
      onData: () => {
        woken.push('again');
        partition.removeWaiter(last);
        partition.addWaiter(again);
      },
    };
    partition.addWaiter(again);
    partition.addWaiter(last);
    await harness.append(partition, batchOf(['x']));
    await harness.append(partition, batchOf(['y']));
    assert.deepEqual(woken, ['again', 'again']);
  });

  it('ends when the topic is deleted', async () => {
    const partition = await harness.partition();
    let woken = 0;
    partition.addWaiter({ onData: () => woken++ });
    await harness.broker.topics.delete(NAMESPACE, 't');
    assert.equal(woken, 1);
  });
});

describe('finding offsets of a partition', () => {
  for (const compression of ['none', 'gzip'] as const) {
    it(`by time is exact inside a batch (${compression})`, async () => {
      const partition = await harness.partition();
      const at = (...timestamps: number[]) =>
        batchOf(
          timestamps.map((timestamp) => ({ timestamp })),
          { compression },
        );
      await harness.append(partition, at(100, 300, 200));
      await harness.append(partition, at(400, 700, 600, 700));
      const lookups: [number, { offset: number; timestamp: number } | null][] = [
        [0, { offset: 0, timestamp: 100 }],
        [100, { offset: 0, timestamp: 100 }],
        [101, { offset: 1, timestamp: 300 }],
        [301, { offset: 3, timestamp: 400 }],
        [650, { offset: 4, timestamp: 700 }],
        [701, null],
      ];
      for (const [timestamp, expected] of lookups) {
        assert.deepEqual(await partition.offsetForTimestamp(timestamp), expected, `${timestamp}`);
      }
      assert.deepEqual(await partition.maxTimestampOffset(), { offset: 4, timestamp: 700 });
    });
  }

  it('by time counts the append time where the topic stamps it', async () => {
    const partition = await harness.partition({ timestampType: 'append' });
    await harness.append(partition, batchOf(['a', 'b']));
    const timestamp = harness.clock.wallMs();
    assert.deepEqual(await partition.offsetForTimestamp(0), { offset: 0, timestamp });
    assert.deepEqual(await partition.maxTimestampOffset(), { offset: 0, timestamp });
  });

  it('by time skips records that were deleted', async () => {
    const partition = await harness.partition();
    await harness.append(partition, batchOf(['a', 'b', 'c', 'd']));
    await partition.deleteRecordsBefore(2);
    assert.equal((await partition.offsetForTimestamp(0))?.offset, 2);
  });

  it('of an empty partition finds nothing', async () => {
    const partition = await harness.partition();
    assert.equal(await partition.offsetForTimestamp(0), null);
    assert.equal(await partition.maxTimestampOffset(), null);
    assert.equal(partition.bytesFrom(0), 0);
    assert.deepEqual(partition.endOffsetForEpoch(partition.leaderEpoch), {
      epoch: partition.leaderEpoch,
      endOffset: 0,
    });
  });

  it('by epoch answers the end of the log for the current one', async () => {
    const partition = await harness.partition();
    await harness.append(partition, batchOf(['a', 'b']));
    const epoch = partition.leaderEpoch;
    assert.deepEqual(partition.endOffsetForEpoch(epoch), { epoch, endOffset: 2 });
    assert.equal(partition.endOffsetForEpoch(epoch + 1), null);
  });

  it('counts bytes up to the committed end', async () => {
    const partition = await harness.partition();
    await harness.append(partition, batchOf(['a']));
    await harness.append(partition, batchOf(['a']));
    assert.equal(partition.bytesFrom(0), partition.bytes);
    assert.equal(partition.bytesFrom(1), partition.bytes / 2);
    assert.equal(partition.bytesFrom(2), 0);
  });
});

describe('deleting records of a partition', () => {
  it('moves the start and keeps what producers did', async () => {
    const partition = await harness.partition();
    const batch = batchOf(['a', 'b', 'c'], { producer: { id: 4, epoch: 0, baseSequence: 0 } });
    await harness.append(partition, Buffer.from(batch));
    assert.equal(await partition.deleteRecordsBefore(2), 2);
    assert.equal(partition.logStart, 2);
    assert.equal(await partition.deleteRecordsBefore(1), 2);
    assert.equal(await partition.deleteRecordsBefore(4), 'out-of-range');
    assert.equal(await partition.deleteRecordsBefore(-2), 'out-of-range');
    assert.equal(await partition.deleteRecordsBefore(-1), 3);
    assert.equal(status(partition, batch), 'duplicate');
  });

  it('leaves other partitions alone', async () => {
    const topic = await harness.topic('two', { partitions: 2 });
    const [first, second] = [partitionOf(topic, 0), partitionOf(topic, 1)];
    await harness.append(first, batchOf(['a']));
    await harness.append(second, batchOf(['a']));
    await first.deleteRecordsBefore(-1);
    assert.equal(first.logStart, 1);
    assert.equal(second.logStart, 0);
    const config: TopicConfig = topic.config;
    assert.equal(second.topic.config, config);
  });
});

function withByte(batch: Buffer, at: number): Buffer {
  const copy = Buffer.from(batch);
  copy[at]! ^= 0xff;
  return copy;
}

function setCount(batch: Buffer, count: number): void {
  batch.writeInt32BE(count, 57);
  batch.writeInt32BE(count - 1, 23);
}
