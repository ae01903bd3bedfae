import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

/*
 * A jar is a zip archive. Read from its end, all numbers little endian:
 *
 *   end record       @0 50 4b 05 06   @10 entries int16   @16 position of the central directory int32
 *   directory entry  @0 50 4b 01 02   @10 method int16 (0 stored, 8 deflated)   @20 packed size int32
 *                    @28 name bytes int16   @30 extra bytes int16   @32 comment bytes int16
 *                    @42 position of the file int32   @46 name
 *   file             @26 name bytes int16   @28 extra bytes int16   @30 name, extra, packed bytes
 */

const END_RECORD = 0x06054b50;
const END_RECORD_BYTES = 22;
const DIRECTORY_ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;

/** The texts of the archive's files whose names pass, by name. */
export function readArchive(path: string, wanted: (name: string) => boolean): Map<string, string> {
  const archive = readFileSync(path);
  let end = archive.length - END_RECORD_BYTES;
  while (end >= 0 && archive.readUInt32LE(end) !== END_RECORD) end--;
  if (end < 0) throw new Error(`${path} is not a zip archive`);
  const files = new Map<string, string>();
  let at = archive.readUInt32LE(end + 16);
  for (let entries = archive.readUInt16LE(end + 10); entries > 0; entries--) {
    if (archive.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${path} is damaged`);
    const nameEnd = at + 46 + archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, nameEnd);
    if (wanted(name)) files.set(name, readEntry(archive, at));
    at = nameEnd + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

function readEntry(archive: Buffer, entry: number): string {
  const method = archive.readUInt16LE(entry + 10);
  const file = archive.readUInt32LE(entry + 42);
  const start = file + 30 + archive.readUInt16LE(file + 26) + archive.readUInt16LE(file + 28);
  const packed = archive.subarray(start, start + archive.readUInt32LE(entry + 20));
  if (method === STORED) return packed.toString('utf8');
  if (method === DEFLATED) return inflateRawSync(packed).toString('utf8');
  throw new Error(`compression method ${method} is not known`);
}
