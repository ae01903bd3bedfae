import { crc32c } from '../../base/crc32c.ts';
import type { FileHandle } from '../file-system.ts';
import { GROUP_HEADER_BYTES, decodeGroupHeader, findGroupMagic } from '../journal/format.ts';
import type { GroupHeader } from '../journal/format.ts';
import type { JournalFile } from '../journal/journal-files.ts';

const READ_BYTES = 4 << 20;
/** Damage may claim any length; a real group is far below. */
const GROUP_BYTES_MAX = 1 << 30;

/** A journal file to be replayed up to a position. */
export interface ReplayFile {
  readonly file: JournalFile;
  /** Infinity: as far as there are groups. */
  readonly limit: number;
}

/** A whole group in memory: valid until the scanner moves. */
export interface ScannedGroup {
  readonly header: GroupHeader;
  /** File position of the group header. */
  readonly position: number;
  readonly data: Buffer;
  readonly table: Buffer;
  /** The bytes of header and table are as they were written; says nothing about the data. */
  readonly endPosition: number;
}

/** Reads the groups of one journal file, one after the other, in large reads. */
export class GroupScanner {
  readonly fileNumber: number;
  /** Where the next group is looked for. */
  position: number;
  private readonly handle: FileHandle;
  /** Nothing counts from here on. */
  private readonly limit: number;
  private buffer: Buffer;
  /** File range in the buffer. */
  private bufferStart: number;
  private bufferBytes: number;

  constructor(file: ReplayFile, position: number) {
    this.fileNumber = file.file.number;
    this.position = position;
    this.handle = file.file.handle;
    this.limit = file.limit;
    this.buffer = Buffer.alloc(0);
    this.bufferStart = 0;
    this.bufferBytes = 0;
  }

  /** The group at the position, which moves after it; null when there is none with sound header and table. */
  async next(): Promise<ScannedGroup | null> {
    const header = await this.peek();
    if (header === null) return null;
    const bytes = GROUP_HEADER_BYTES + header.dataBytes + header.tableBytes;
    if (bytes > GROUP_BYTES_MAX || !(await this.fill(bytes))) return null;
    const { position } = this;
    const at = position - this.bufferStart;
    const tableAt = at + GROUP_HEADER_BYTES + header.dataBytes;
    const table = this.buffer.subarray(tableAt, tableAt + header.tableBytes);
    if (crc32c(table) !== header.tableCrc) return null;
    const data = this.buffer.subarray(at + GROUP_HEADER_BYTES, tableAt);
    this.position = position + bytes;
    return { header, position, data, table, endPosition: this.position };
  }

  /** The header at the position, or null when there is none of this file. */
  async peek(): Promise<GroupHeader | null> {
    if (!(await this.fill(GROUP_HEADER_BYTES))) return null;
    const header = decodeGroupHeader(this.buffer, this.position - this.bufferStart);
    return header === null || header.fileNumber !== this.fileNumber ? null : header;
  }

  /** Moves to the next sound header of this file after the position; null when there is none. */
  async resync(): Promise<GroupHeader | null> {
    this.position++;
    while (await this.fill(GROUP_HEADER_BYTES)) {
      const at = this.position - this.bufferStart;
      const found = findGroupMagic(this.buffer.subarray(0, this.bufferBytes), at);
      if (found === -1) {
        this.position = this.bufferStart + this.bufferBytes - 3; // the magic may lie across two reads
        continue;
      }
      this.position = this.bufferStart + found;
      const header = await this.peek();
      if (header !== null) return header;
      this.position++;
    }
    return null;
  }

  /** Has bytes from the position in the buffer; false when the file ends before. */
  private async fill(bytes: number): Promise<boolean> {
    if (this.position + bytes > this.limit) return false;
    const end = this.bufferStart + this.bufferBytes;
    if (this.position >= this.bufferStart && this.position + bytes <= end) return true;
    if (this.buffer.length === 0) {
      const left = (await this.handle.size()) - this.position;
      this.buffer = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(left, READ_BYTES)));
    } else if (bytes > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.bufferStart = this.position;
    this.bufferBytes = await this.handle.read(this.buffer, this.buffer.length, this.position);
    return this.bufferBytes >= bytes;
  }
}
