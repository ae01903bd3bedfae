import { deepEqual as sameFields } from 'node:assert';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { LyrebirdError } from '../../base/errors.ts';
import { MalformedBytes } from './bytes.ts';
import {
  decodeNote,
  decodeSnapshot,
  encodeNote,
  encodeSnapshot,
  type GroupNote,
  isGroupNote,
} from './note-codec.ts';

const text = fc.string({ maxLength: 40, unit: 'grapheme' });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const int64 = fc.maxSafeInteger();
const partition = fc.integer({ min: 0, max: 0x7fff_ffff });

const offset = fc.record({
  topic: fc.constantFrom('a', 'b', 'long name'),
  topicId: fc.constantFrom(Buffer.alloc(16, 1), Buffer.alloc(16, 2)),
  partition,
  offset: int64,
  leaderEpoch: int32,
  metadata: text,
  committedAtMs: int64,
  expiresAtMs: int64,
});

const member = fc.record({
  memberId: text,
  instanceId: fc.option(text),
  clientId: text,
  clientHost: text,
  sessionTimeoutMs: int32,
  rebalanceTimeoutMs: int32,
  protocols: fc.array(
    fc.record({ name: text, metadata: fc.oneof(bytes, fc.constant(Buffer.from('same'))) }),
    { maxLength: 4 },
  ),
  subscribedTopics: fc.option(fc.array(text, { maxLength: 4 })),
  assignment: bytes,
});

const note: fc.Arbitrary<GroupNote> = fc.oneof(
  fc.record({ kind: fc.constant('deleted' as const), groupId: text }),
  fc.record({
    kind: fc.constant('removal' as const),
    groupId: text,
    partitions: fc.array(fc.record({ topic: text, partition }), { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant('commit' as const),
    groupId: text,
    offsets: fc.array(offset, { maxLength: 8 }),
  }),
  fc.record({
    kind: fc.constant('generation' as const),
    groupId: text,
    record: fc.record({
      generation: int32,
      protocolType: text,
      protocolName: text,
      leaderId: text,
      sinceMs: int64,
      members: fc.array(member, { maxLength: 4 }),
    }),
  }),
);

/** What decoding says: the note, or that the bytes were refused. Anything else is a bug. */
function tryDecode(encoded: Buffer): GroupNote | null {
  try {
    return decodeNote(encoded);
  } catch (error) {
    assert.ok(error instanceof MalformedBytes || error instanceof LyrebirdError);
    return null;
  }
}

describe('notes of groups', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(note, (value) => {
        const encoded = encodeNote(value);
        assert.ok(isGroupNote(encoded));
        // Generated objects have other prototypes than decoded ones.
        sameFields(decodeNote(encoded), value);
      }),
    );
  });

  it('keep their layout', () => {
    const encoded = encodeNote({
      kind: 'commit',
      groupId: 'g',
      offsets: [
        {
          topic: 't',
          topicId: Buffer.alloc(16, 0xaa),
          partition: 300,
          offset: 0x1_0000_0002,
          leaderEpoch: -1,
          metadata: 'm',
          committedAtMs: 5,
          expiresAtMs: -1,
        },
      ],
    });
    const expected =
      'c6 01 02 01 67 01' +
      ` 01 01 74 ${'aa '.repeat(16)} ac02 0000000100000002 ffffffff 01 6d` +
      ' 0000000000000005 ffffffffffffffff';
    assert.equal(encoded.toString('hex'), expected.replaceAll(' ', ''));
  });

  it('that end too early are refused', () => {
    fc.assert(
      fc.property(note, (value) => {
        const encoded = encodeNote(value);
        for (let end = 0; end < encoded.length; end++) {
          assert.equal(tryDecode(encoded.subarray(0, end)), null);
        }
        assert.equal(tryDecode(Buffer.concat([encoded, Buffer.of(0)])), null);
      }),
      { numRuns: 30 },
    );
  });

  it('of garbage are refused without running away', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(4), (garbage, kind) => {
        tryDecode(Buffer.from([0xc6, 1, kind, ...garbage]));
        tryDecode(Buffer.from(garbage));
      }),
    );
  });

  it('with flipped bits are refused or read, never anything else', () => {
    fc.assert(
      fc.property(note, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, place, flip) => {
        const encoded = encodeNote(value);
        const at = place % encoded.length;
        encoded[at] = (encoded[at] ?? 0) ^ flip;
        tryDecode(encoded);
      }),
    );
  });

  it('of a newer version say so', () => {
    const encoded = encodeNote({ kind: 'deleted', groupId: 'g' });
    encoded[1] = 2;
    assert.throws(() => decodeNote(encoded), { code: 'LB2001' });
  });

  it('make snapshots', () => {
    fc.assert(
      fc.property(fc.array(note, { maxLength: 6 }), (values) => {
        const notes = values.map(encodeNote);
        const snapshot = encodeSnapshot(notes);
        assert.deepEqual(decodeSnapshot(snapshot), notes);
        if (notes.length === 0) return;
        const cut = snapshot.subarray(0, snapshot.length - 1);
        assert.throws(() => decodeSnapshot(cut), MalformedBytes);
      }),
    );
  });
});
