import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as check, nat, property, uint8Array } from 'fast-check';
import { LogState } from '../index/log-state.ts';
import { CommitGroup } from './commit-group.ts';
import { ENTRY_APPEND, ENTRY_META, ENTRY_NOTE, ENTRY_TRIM, decodeEntries } from './entries.ts';
import type { Entry } from './entries.ts';

const SPEC = {
  durability: 'fsync' as const,
  retentionMs: Infinity,
  retentionBytes: Infinity,
  segmentBytes: Infinity,
};
const NO_COMMIT = { onDurable: () => {} };

function log(id: number): LogState {
  return new LogState(id, `log-${id}`, SPEC);
}

/** A group with one entry of each kind. */
function sampleGroup(): CommitGroup {
  const group = new CommitGroup();
  group.addAppend(log(1), 4, 100, 10, 5000, 700, 1_700_000_000_000, 3, null);
  group.addNote(log(2 ** 40), -1, Buffer.from('note'));
  const further = { logs: [log(4), log(5)], baseOffsets: [7, 2 ** 45], epochs: [1, 2] };
  group.addAppend(log(3), 0, 0, 1, 6000, 80, -1, 0, further);
  group.addTrim(log(1), 90);
  group.addMeta(Buffer.from('{"revision":1}'), NO_COMMIT);
  return group;
}

function encode(group: CommitGroup): Buffer {
  const table = Buffer.alloc(group.tableBytes);
  group.encodeTable(table, 0);
  return table;
}

function decode(table: Buffer, count: number): { entries: Entry[]; sound: boolean } {
  const entries: Entry[] = [];
  const sound = decodeEntries(table, count, (entry) => entries.push(entry));
  return { entries, sound };
}

describe('the table of a commit group', () => {
  it('round trips every kind of entry', () => {
    const group = sampleGroup();
    const { entries, sound } = decode(encode(group), group.count);
    assert.equal(sound, true);
    assert.deepEqual(entries, [
      {
        kind: ENTRY_APPEND,
        epoch: 4,
        log: 1,
        baseOffset: 100,
        maxTimestamp: 1_700_000_000_000,
        offsetCount: 10,
        dataBytes: 700,
        further: [],
      },
      { kind: ENTRY_NOTE, log: 2 ** 40, body: Buffer.from('note') },
      {
        kind: ENTRY_APPEND,
        epoch: 0,
        log: 3,
        baseOffset: 0,
        maxTimestamp: -1,
        offsetCount: 1,
        dataBytes: 80,
        further: [
          { log: 4, baseOffset: 7, epoch: 1 },
          { log: 5, baseOffset: 2 ** 45, epoch: 2 },
        ],
      },
      { kind: ENTRY_TRIM, log: 1, before: 90 },
      { kind: ENTRY_META, body: Buffer.from('{"revision":1}') },
    ]);
  });

  it('is refused when it is cut short, too long, or miscounted', () => {
    const group = sampleGroup();
    const table = encode(group);
    for (let end = 0; end < table.length; end++) {
      assert.equal(decode(table.subarray(0, end), group.count).sound, false, `${end} bytes`);
    }
    assert.equal(decode(Buffer.concat([table, Buffer.alloc(1)]), group.count).sound, false);
    assert.equal(decode(table, group.count - 1).sound, false);
    assert.equal(decode(table, group.count + 1).sound, false);
  });

  it('survives garbage', () => {
    check(
      property(uint8Array({ maxLength: 200 }), nat(8), (garbage, count) => {
        decode(Buffer.from(garbage), count);
      }),
    );
  });
});

describe('commit group', () => {
  it('makes one entry of appends that follow each other, up to a size', () => {
    const group = new CommitGroup();
    const first = log(1);
    group.addAppend(first, 0, 0, 2, 1000, 50, 10, 0, null);
    assert.equal(group.extendLast(first, 0, 3, 1050, 40, 30, 1, 100), true);
    assert.equal(group.extendLast(first, 0, 1, 1090, 20, 20, 0, 100), false, 'too large');
    assert.equal(group.extendLast(first, 1, 1, 1090, 5, 20, 0, 100), false, 'another epoch');
    assert.equal(group.extendLast(first, 0, 1, 2000, 5, 20, 0, 100), false, 'elsewhere');
    assert.equal(group.extendLast(log(2), 0, 1, 1090, 5, 20, 0, 100), false, 'another log');
    assert.equal(group.count, 1);
    assert.equal(group.bytes[0], 90);
    assert.equal(group.offsetCounts[0], 5);
    assert.equal(group.maxTimestamps[0], 30);
    assert.equal(group.maxTimestampDeltas[0], 3, 'the batch with it begins at offset 2 + 1');
  });

  it('grows, and can be used again', () => {
    const group = new CommitGroup();
    const one = log(1);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 1000; i++) group.addNote(one, 0, Buffer.from(`${i}`));
      const { entries, sound } = decode(encode(group), group.count);
      assert.equal(sound, true);
      assert.equal(entries.length, 1000);
      assert.deepEqual(entries[999], { kind: ENTRY_NOTE, log: 1, body: Buffer.from('999') });
      group.reset();
      assert.equal(group.tableBytes, 0);
    }
  });
});
