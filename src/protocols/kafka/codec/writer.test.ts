import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodecError } from './codec-error.ts';
import { Reader } from './reader.ts';
import type { Lease, RecordsOut, Slice } from './records.ts';
import { Writer, type Sink } from './writer.ts';

const hexOf = (write: (writer: Writer) => void): string => {
  const writer = new Writer();
  write(writer);
  return writer.toBuffer().toString('hex');
};

/** Remembers what it was given, as a connection would send it. */
class RecordingSink implements Sink {
  readonly log: string[] = [];

  write(buffer: Buffer, start: number, end: number): void {
    this.log.push(`copy ${buffer.toString('latin1', start, end)}`);
  }

  writeShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void {
    const text = end - start > 100 ? `${end - start} bytes` : buffer.toString('latin1', start, end);
    this.log.push(`share ${text}${lease === null ? '' : ' leased'}`);
  }
}

const lease: Lease = { retain: () => undefined, release: () => undefined };

const slice = (text: string): Slice => ({
  buffer: Buffer.from(`<<${text}>>`, 'latin1'),
  start: 2,
  end: 2 + text.length,
  lease,
});

const recordsOf = (...texts: string[]): RecordsOut => ({
  bytes: texts.join('').length,
  slices: texts.map(slice),
});

test('writes the ends of int64, and what lies beyond, as those ends', () => {
  assert.equal(
    hexOf((w) => w.int64(-1)),
    'ffffffffffffffff',
  );
  assert.equal(
    hexOf((w) => w.int64(Number.MAX_SAFE_INTEGER)),
    '001fffffffffffff',
  );
  assert.equal(
    hexOf((w) => w.int64(Number.MIN_SAFE_INTEGER)),
    'ffe0000000000001',
  );
  assert.equal(
    hexOf((w) => w.int64(2 ** 63)),
    '7fffffffffffffff',
  );
  assert.equal(
    hexOf((w) => w.int64(Infinity)),
    '7fffffffffffffff',
  );
  assert.equal(
    hexOf((w) => w.int64(-(2 ** 63))),
    '8000000000000000',
  );
  assert.equal(
    hexOf((w) => w.int64(-Infinity)),
    '8000000000000000',
  );
});

test('writes strings of every length class, compact and not', () => {
  for (const unit of ['a', 'é', '€', '😀']) {
    for (const count of [0, 1, 20, 21, 22, 42, 43, 126, 127, 128, 200, 5_000, 8_000]) {
      const text = unit.repeat(count);
      const writer = new Writer();
      writer.string(true, text);
      writer.string(false, text);
      const reader = new Reader(writer.toBuffer());
      assert.equal(reader.string(true, 'compact'), text);
      assert.equal(reader.string(false, 'plain'), text);
      assert.equal(reader.remaining, 0);
    }
  }
});

test('refuses what cannot be said', () => {
  const writer = new Writer();
  writer.begin('MetadataResponse', 3, 0, 13);
  assert.throws(() => writer.string(false, 'x'.repeat(0x8000)), CodecError);
  assert.throws(() => writer.uuid(Buffer.alloc(15)), CodecError);
  assert.throws(
    () => writer.required(null, 'topics.name'),
    /MetadataResponse v3, field topics.name/,
  );
  assert.throws(() => writer.begin('MetadataResponse', 14, 0, 13), /versions 0 to 13/);
  assert.throws(() => writer.records(true, { bytes: 4, slices: [slice('abc')] }), /slices/);
});

test('a tagged field is moved when its size takes more than a byte', () => {
  for (const length of [0, 127, 128, 300, 20_000]) {
    const writer = new Writer();
    writer.int8(7);
    const at = writer.openTag(3);
    for (let i = 0; i < length; i++) writer.int8(i & 0x7f);
    writer.closeTag(at);
    writer.int8(9);
    const reader = new Reader(writer.toBuffer());
    assert.equal(reader.int8('before'), 7);
    assert.equal(reader.uvarint('tag'), 3);
    const outerEnd = reader.openTag();
    for (let i = 0; i < length; i++) assert.equal(reader.int8('x'), i & 0x7f);
    reader.closeTag(outerEnd);
    assert.equal(reader.int8('after'), 9);
  }
});

test('splices records between what is copied, with their leases, and counts them in the frame', () => {
  const writer = new Writer();
  writer.startFrame();
  writer.string(true, 'one');
  writer.records(true, recordsOf('RECORDS', '', 'MORE'));
  writer.string(true, 'two');
  writer.nullableRecords(true, null);
  writer.records(true, recordsOf('LAST'));
  assert.equal(writer.endFrame(), 4 + 4 + 1 + 11 + 4 + 1 + 1 + 4);
  const whole = writer.toBuffer();
  assert.equal(whole.toString('latin1'), '\0\0\0\x1a\x04one\x0cRECORDSMORE\x04two\0\x05LAST');
  assert.equal(whole.readInt32BE(0), whole.length - 4);
  const sink = new RecordingSink();
  writer.emit(sink);
  assert.deepEqual(sink.log, [
    'copy \0\0\0\x1a\x04one\x0c',
    'share RECORDS leased',
    'share MORE leased',
    'copy \x04two\0\x05',
    'share LAST leased',
  ]);
  assert.equal(writer.size, 0);
});

test('several frames follow each other, and the last can be taken back', () => {
  const writer = new Writer();
  writer.startFrame();
  writer.records(true, recordsOf('FIRST'));
  writer.endFrame();
  const first = writer.toBuffer();
  writer.startFrame();
  writer.int8(1);
  writer.records(true, recordsOf('SECOND'));
  writer.records(true, recordsOf('THIRD'));
  writer.dropFrame();
  assert.deepEqual(writer.toBuffer(), first);
  writer.startFrame();
  writer.int8(2);
  assert.equal(writer.endFrame(), 5);
  assert.equal(writer.toBuffer().toString('hex'), `${first.toString('hex')}0000000102`);
});

test('a large chunk is handed over instead of copied, and not written to again', () => {
  const writer = new Writer();
  const sink = new RecordingSink();
  writer.bytes(false, Buffer.alloc(70_000, 0x61));
  writer.emit(sink);
  writer.string(true, 'next');
  writer.emit(sink);
  assert.deepEqual(sink.log, ['share 70004 bytes', 'copy \x05next']);
});
