import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as check, property, uint8Array } from 'fast-check';
import { RunIndex } from '../index/run-index.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  readRecords,
  writeKey,
  writeKeyDeleted,
  writeLog,
  writeLogData,
  writeLogDeleted,
  writeSnapshot,
  writeSnapshotDeleted,
  writeState,
} from './manifest-records.ts';
import type { ManifestState, ManifestVisitor } from './manifest-records.ts';

const STATE: ManifestState = {
  clusterId: '00'.repeat(16),
  incarnation: 3,
  epoch: 2,
  drained: false,
  bootId: null,
  replay: { file: 4, position: 64, sequence: 1000 },
  openFile: 5,
  journal: [{ number: 4, end: 64, createdMs: 12, writtenMs: 34 }],
  nextLogId: 9,
  nextSegment: 2,
  metaRevision: 77,
};
const EXTENT = {
  file: 1,
  position: 64,
  bytes: 1000,
  baseOffset: 5,
  endOffset: 15,
  maxTimestamp: -1,
  maxTimestampOffset: 5,
  indexPosition: 1064,
  indexBytes: 28,
};

function recorder(seen: unknown[]): ManifestVisitor {
  return {
    onState: (state) => seen.push(state),
    onLog: (id, name, spec) => seen.push([id, name, spec]),
    onLogData: (data) => seen.push({ ...data, runs: [...data.runs] }),
    onLogDeleted: (id) => seen.push(['deleted', id]),
    onKey: (entry) => seen.push(entry),
    onKeyDeleted: (key) => seen.push(['no key', key]),
    onSnapshot: (log, bytes) => seen.push([log, bytes.toString()]),
    onSnapshotDeleted: (log) => seen.push(['no snapshot', log]),
  };
}

function sample(): { body: Buffer; expected: unknown[] } {
  const out = new ByteWriter(8);
  const spec = {
    durability: 'os' as const,
    retentionMs: Infinity,
    retentionBytes: 5,
    segmentBytes: Infinity,
  };
  const entry = { key: 'a/ü', value: '{}', createRevision: 1, modRevision: 2 ** 40, lease: 0 };
  const data = { id: 6, start: 5, end: 40, keepRunsFrom: 7, damage: [{ from: 8, to: 9 }] };
  const index = new RunIndex();
  for (let run = 0; run < 3; run++) index.push(15 + run, run * 100, 90, 1, 0, run, 0);
  writeState(out, STATE);
  writeLog(out, 6, 'partition/x', spec);
  writeLogData(out, { ...data, extents: [EXTENT] }, { index, first: 1, end: 3 });
  writeLogData(out, { ...data, extents: null }, null);
  writeLogDeleted(out, 6);
  writeKey(out, entry);
  writeKeyDeleted(out, 'b');
  writeSnapshot(out, 6, Buffer.from('state'));
  writeSnapshotDeleted(out, 7);
  const runs = [16, 100, 90, 4, 1, 0, 17, 200, 90, 4, 2, 0];
  const expected = [
    STATE,
    [6, 'partition/x', spec],
    { ...data, extents: [EXTENT], runs },
    { ...data, extents: null, runs: [] },
    ['deleted', 6],
    entry,
    ['no key', 'b'],
    [6, 'state'],
    ['no snapshot', 7],
  ];
  return { body: Buffer.from(out.view()), expected };
}

describe('manifest records', () => {
  it('round trip', () => {
    const { body, expected } = sample();
    const seen: unknown[] = [];
    readRecords(new ByteReader(body), recorder(seen));
    assert.deepEqual(seen, expected);
  });

  it('throw a RangeError or SyntaxError when they are cut short', () => {
    const { body, expected } = sample();
    for (let end = 0; end < body.length; end++) {
      const seen: unknown[] = [];
      try {
        readRecords(new ByteReader(body.subarray(0, end)), recorder(seen));
        assert.ok(seen.length < expected.length, `${end} bytes`); // cut between two records
      } catch (error) {
        assert.ok(error instanceof RangeError || error instanceof SyntaxError, `${end} bytes`);
      }
    }
  });

  it('throw nothing else on garbage', () => {
    check(
      property(uint8Array({ maxLength: 100 }), (garbage) => {
        try {
          readRecords(new ByteReader(Buffer.from(garbage)), recorder([]));
        } catch (error) {
          assert.ok(error instanceof RangeError || error instanceof SyntaxError);
        }
      }),
    );
  });
});
