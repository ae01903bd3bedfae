import { crc32c } from '../../base/crc32c.ts';
import { LyrebirdError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { FileHandle, FileSystem } from '../file-system.ts';

/**
 * The manifest: what the engine knew at its last checkpoint. One full section, then sections with what changed.
 * Big endian.
 *
 *   manifest = section*          section-header, 40 bytes
 *   section  = header body         magic        uint32 @0
 *                                  version      uint16 @4
 *                                  headerBytes  uint16 @6
 *                                  manifestId   8 B    @8    the same in all sections of a file
 *                                  index        uint32 @16   0 for the full section, then counted up
 *                                  reserved     uint32 @20
 *                                  bodyBytes    int64  @24   (as two uint32)
 *                                  bodyCrc      uint32 @32
 *                                  headerCrc    uint32 @36
 *
 * A full section is written to a new file, which then takes the manifest's name; the others are appended. A
 * section counts once it is synced: an incomplete last one is what a crash leaves of a checkpoint that nothing
 * relies on yet.
 */
export const SECTION_HEADER_BYTES = 40;
const SECTION_MAGIC = 0x4c59_4d53; // LYMS
const VERSION = 1;
const NAME = 'manifest';
const NEW_NAME = 'manifest.new';

export interface ManifestFileOptions {
  readonly fileSystem: FileSystem;
  readonly random: Random;
  readonly folder: string;
}

export interface LoadedManifest {
  /** Bodies of the sections, the full one first. */
  readonly sections: readonly Buffer[];
  /** Something incomplete followed the last section; it was removed. */
  readonly tornTail: boolean;
}

/** A section's body in pieces, so that it need not be in memory as a whole. */
export type SectionBody = AsyncIterable<Buffer> | Iterable<Buffer>;

interface SectionHeader {
  readonly manifestId: Buffer;
  readonly index: number;
  readonly bodyBytes: number;
  readonly bodyCrc: number;
}

/** Reads and writes the manifest's sections. */
export class ManifestFile {
  private readonly options: ManifestFileOptions;
  private readonly path: string;
  private handle: FileHandle | null;
  private manifestId: Buffer;
  private nextIndex: number;
  private end: number;
  /** Where the last section that was loaded begins. */
  private lastStart: number;
  private fullBytes: number;

  constructor(options: ManifestFileOptions) {
    this.options = options;
    this.path = `${options.folder}/${NAME}`;
    this.handle = null;
    this.manifestId = Buffer.alloc(8);
    this.nextIndex = 0;
    this.end = 0;
    this.lastStart = 0;
    this.fullBytes = 0;
  }

  /** True when there is no manifest yet. */
  get isNew(): boolean {
    return this.handle === null;
  }

  /** True when the next section has to be a full one. */
  get needsFull(): boolean {
    return this.handle === null || this.end - this.fullBytes > Math.max(this.fullBytes, 1 << 20);
  }

  /** Null when there is no manifest. Rejects with LB2001 or LB2002 when there is one that cannot be used. */
  async load(): Promise<LoadedManifest | null> {
    const { fileSystem } = this.options;
    if (!(await fileSystem.exists(this.path))) return null;
    const handle = await fileSystem.open(this.path, { create: false });
    try {
      return await this.readSections(handle);
    } catch (error) {
      this.handle = null;
      await handle.close();
      throw error;
    }
  }

  /**
   * A process that was killed may have left what was loaded in the page cache only. Files are freed because of what
   * it says, so it has to be on the disk first. rewrite: a sync of the last section may have failed, after which the
   * system takes it for synced unless it is written again; those before were followed by another one.
   */
  async secure(options: { rewrite: boolean }): Promise<void> {
    const { handle, lastStart } = this;
    if (handle === null) return;
    if (options.rewrite) {
      const section = Buffer.allocUnsafeSlow(this.end - lastStart);
      const bytes = await handle.read(section, section.length, lastStart);
      await handle.write([section.subarray(0, bytes)], lastStart);
    }
    await handle.sync();
    await this.options.fileSystem.syncDirectory(this.options.folder);
  }

  /** Starts a new manifest with a full section. Each piece of its body may be changed when the next one is asked for. */
  async writeFull(body: SectionBody): Promise<void> {
    const { fileSystem, folder, random } = this.options;
    const newPath = `${folder}/${NEW_NAME}`;
    await this.close();
    if (await fileSystem.exists(newPath)) await fileSystem.remove(newPath);
    const handle = await fileSystem.open(newPath, { create: true });
    const manifestId = random.bytes(8);
    let end: number;
    try {
      end = await writeSection(handle, { manifestId, index: 0, at: 0, body });
      await fileSystem.rename(newPath, this.path);
      await fileSystem.syncDirectory(folder);
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.handle = handle;
    this.manifestId = manifestId;
    this.nextIndex = 1;
    this.end = end;
    this.fullBytes = end;
  }

  /** Adds a section with what changed. */
  async append(body: SectionBody): Promise<void> {
    const { handle } = this;
    if (handle === null) throw new LyrebirdError('LB2005', 'the manifest is not open');
    const { manifestId, nextIndex: index, end: at } = this;
    try {
      this.end = await writeSection(handle, { manifestId, index, at, body });
    } catch (error) {
      // Nobody knows what the disk holds now: only a new file can follow.
      await this.close();
      throw error;
    }
    this.nextIndex++;
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = null;
    await handle?.close();
  }

  private async readSections(handle: FileHandle): Promise<LoadedManifest> {
    const size = await handle.size();
    const file = Buffer.allocUnsafeSlow(size);
    const length = await handle.read(file, size, 0);
    const sections: Buffer[] = [];
    let at = 0;
    let first: SectionHeader | null = null;
    this.lastStart = 0;
    while (at < length) {
      const header = decodeSectionHeader(file, at);
      if (header === 'too-new') {
        throw new LyrebirdError('LB2001', 'the data folder was written by a newer version');
      }
      if (header === null || header.index !== sections.length) break;
      if (first !== null && !header.manifestId.equals(first.manifestId)) break;
      const bodyAt = at + SECTION_HEADER_BYTES;
      if (bodyAt + header.bodyBytes > length) break;
      const body = file.subarray(bodyAt, bodyAt + header.bodyBytes);
      if (crc32c(body) !== header.bodyCrc) break;
      first ??= header;
      sections.push(body);
      this.lastStart = at;
      at = bodyAt + header.bodyBytes;
    }
    if (first === null || hasLaterSection(file, { from: at, first, index: sections.length })) {
      const details = { path: this.path, position: at };
      const message = `the manifest ${this.path} is damaged at byte ${at}; keep a copy of the folder`;
      throw new LyrebirdError('LB2002', message, { details });
    }
    if (at < length) {
      await handle.truncate(at);
      await handle.sync();
    }
    this.handle = handle;
    this.manifestId = Buffer.from(first.manifestId);
    this.nextIndex = sections.length;
    this.end = at;
    this.fullBytes = SECTION_HEADER_BYTES + first.bodyBytes;
    return { sections, tornTail: at < length };
  }
}

/** Writes and syncs a section, its header last; resolves with where it ends. */
async function writeSection(
  handle: FileHandle,
  section: { manifestId: Buffer; index: number; at: number; body: SectionBody },
): Promise<number> {
  const { manifestId, index, at, body } = section;
  const start = at + SECTION_HEADER_BYTES;
  let end = start;
  let bodyCrc = 0;
  for await (const piece of body) {
    bodyCrc = crc32c(piece, bodyCrc);
    await handle.write([piece], end);
    end += piece.length;
  }
  const bodyBytes = end - start;
  await handle.write([encodeSectionHeader({ manifestId, index, bodyBytes, bodyCrc })], at);
  await handle.sync();
  return end;
}

function encodeSectionHeader(section: SectionHeader): Buffer {
  const { manifestId, index, bodyBytes, bodyCrc } = section;
  const out = Buffer.alloc(SECTION_HEADER_BYTES);
  out.writeUInt32BE(SECTION_MAGIC, 0);
  out.writeUInt16BE(VERSION, 4);
  out.writeUInt16BE(SECTION_HEADER_BYTES, 6);
  manifestId.copy(out, 8);
  out.writeUInt32BE(index, 16);
  out.writeUInt32BE(Math.floor(bodyBytes / 0x1_0000_0000), 24);
  out.writeUInt32BE(bodyBytes % 0x1_0000_0000, 28);
  out.writeUInt32BE(bodyCrc, 32);
  out.writeUInt32BE(crc32c(out.subarray(0, 36)), 36);
  return out;
}

function decodeSectionHeader(b: Buffer, at: number): SectionHeader | 'too-new' | null {
  if (at + SECTION_HEADER_BYTES > b.length || b.readUInt32BE(at) !== SECTION_MAGIC) return null;
  if (crc32c(b.subarray(at, at + 36)) !== b.readUInt32BE(at + 36)) return null;
  if (b.readUInt16BE(at + 4) > VERSION) return 'too-new';
  return {
    manifestId: b.subarray(at + 8, at + 16),
    index: b.readUInt32BE(at + 16),
    bodyBytes: b.readUInt32BE(at + 24) * 0x1_0000_0000 + b.readUInt32BE(at + 28),
    bodyCrc: b.readUInt32BE(at + 32),
  };
}

/** A later section behind one that cannot be read: that one was complete once, so this is damage, not a crash. */
function hasLaterSection(
  file: Buffer,
  after: { from: number; first: SectionHeader; index: number },
): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32BE(SECTION_MAGIC, 0);
  for (let at = file.indexOf(magic, after.from); at !== -1; at = file.indexOf(magic, at + 1)) {
    const header = decodeSectionHeader(file, at);
    if (header === null || header === 'too-new') continue;
    if (header.index > after.index && header.manifestId.equals(after.first.manifestId)) return true;
  }
  return false;
}
