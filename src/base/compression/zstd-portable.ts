import { GrowableOutput } from './growable-output.ts';
import type { DecompressionDefect } from './index.ts';
import { ZstdError, corruptIf } from './zstd-error.ts';
import { readHuffmanTable, type HuffmanTable } from './zstd-huffman.ts';
import { SequenceReader } from './zstd-sequences.ts';

/**
 * Zstandard frames, one or several (RFC 8878). Integers are little endian.
 *
 *   magic uint32 0xFD2FB528 | descriptor uint8 | window uint8 unless bit 5 | dictionary id, 0/1/2/4 bytes by bits 0-1
 *   content size, 0/1/2/4/8 bytes by bits 6-7 | blocks | checksum uint32 if bit 2
 *   block: header uint24 (bit 0 last, bits 1-2 type: 0 raw, 1 one byte repeated, 2 compressed, then the size), content
 *   compressed block: literals section, sequences section (zstd-sequences.ts)
 *
 * For Node before 22.15, and made to be safe with hostile input: work is bounded by the input and by maxBytes. The
 * checksum of the content is not verified: the record batch around the frame has one of its own, checked before.
 */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES_MAX = 128 * 1024;
const NO_LITERALS = Buffer.alloc(0);

export function decompressZstdPortable(
  input: Buffer,
  maxBytes: number,
): Buffer | DecompressionDefect {
  const output = new GrowableOutput(input.length * 4, maxBytes);
  try {
    let position = 0;
    do position = readFrame(input, position, output);
    while (position < input.length);
  } catch (error) {
    if (error instanceof ZstdError) return error.defect;
    throw error;
  }
  return output.finish();
}

/** Appends one frame to the output and returns the position behind it. */
function readFrame(input: Buffer, start: number, output: GrowableOutput): number {
  corruptIf(start + 6 > input.length);
  const magic = input.readUInt32LE(start);
  if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    corruptIf(start + 8 > input.length);
    const end = start + 8 + input.readUInt32LE(start + 4);
    corruptIf(end > input.length);
    return end;
  }
  const descriptor = input[start + 4]!;
  const dictionaryFlag = descriptor & 3;
  corruptIf(magic !== FRAME_MAGIC || (descriptor & 0x08) !== 0 || dictionaryFlag !== 0);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  let position = start + (singleSegment ? 5 : 6) + sizeBytes;
  const block = new BlockDecoder(input, output);
  for (let last = false; !last;) {
    corruptIf(position + 3 > input.length);
    const header = input.readUIntLE(position, 3);
    position += 3;
    last = (header & 1) !== 0;
    position = block.read((header >> 1) & 3, header >>> 3, position);
  }
  if (descriptor & 0x04) position += 4;
  corruptIf(position > input.length);
  return position;
}

/** The blocks of one frame; holds what a block may use again of those before. */
class BlockDecoder {
  private readonly input: Buffer;
  private readonly output: GrowableOutput;
  private readonly frameStart: number;
  private readonly sequences = new SequenceReader();
  private huffman: HuffmanTable | null = null;
  private literals: Buffer = NO_LITERALS;
  private recent1 = 1;
  private recent2 = 4;
  private recent3 = 8;

  constructor(input: Buffer, output: GrowableOutput) {
    this.input = input;
    this.output = output;
    this.frameStart = output.length;
  }

  /** Appends the block at start and returns the position behind it. */
  read(type: number, size: number, start: number): number {
    const { input, output } = this;
    corruptIf(type === 3 || size > BLOCK_BYTES_MAX);
    const end = start + (type === 1 ? 1 : size);
    corruptIf(end > input.length);
    if (type === 2) {
      const blockEnd = output.length + BLOCK_BYTES_MAX;
      const sequencesStart = this.readLiterals(start, end);
      this.sequences.open(input, sequencesStart, end);
      this.execute(blockEnd);
      return end;
    }
    this.reserve(size);
    if (type === 0) input.copy(output.buffer, output.length, start, end);
    else output.buffer.fill(input[start]!, output.length, output.length + size);
    output.length += size;
    return end;
  }

  /** Copies literals and matches in turn. */
  private execute(blockEnd: number): void {
    const { sequences, output, literals } = this;
    let literal = 0;
    while (sequences.left > 0) {
      sequences.next();
      const { literalLength, matchLength } = sequences;
      const offset = this.offsetOf(sequences.offsetValue, literalLength);
      corruptIf(literal + literalLength > literals.length);
      corruptIf(output.length + literalLength + matchLength > blockEnd);
      this.reserve(literalLength + matchLength);
      literals.copy(output.buffer, output.length, literal, literal + literalLength);
      literal += literalLength;
      output.length += literalLength;
      corruptIf(offset < 1 || offset > output.length - this.frameStart);
      this.copyMatch(offset, matchLength);
    }
    const rest = literals.length - literal;
    corruptIf(output.length + rest > blockEnd);
    this.reserve(rest);
    literals.copy(output.buffer, output.length, literal);
    output.length += rest;
  }

  /** A match may reach into what it writes: it then repeats it. */
  private copyMatch(offset: number, length: number): void {
    const { output } = this;
    const { buffer } = output;
    let to = output.length;
    output.length += length;
    if (offset >= length) {
      buffer.copyWithin(to, to - offset, to - offset + length);
      return;
    }
    for (const end = to + length; to < end; to++) buffer[to] = buffer[to - offset]!;
  }

  /** The offset that a value stands for; it becomes the most recent one (RFC 8878, section 3.1.1.5). */
  private offsetOf(value: number, literalLength: number): number {
    const { recent1, recent2, recent3 } = this;
    // Without literals the most recent offset makes no sense, so that the names move up by one.
    const name = value > 3 ? 4 : literalLength === 0 ? value : value - 1;
    if (value <= 3 && name === 0) return recent1;
    let offset: number;
    if (value > 3) offset = value - 3;
    else if (name === 1) offset = recent2;
    else if (name === 2) offset = recent3;
    else offset = recent1 - 1;
    if (name !== 1) this.recent3 = recent2;
    this.recent2 = recent1;
    this.recent1 = offset;
    return offset;
  }

  /** Reads the literals section into this.literals and returns the position behind it. */
  private readLiterals(start: number, end: number): number {
    const { input } = this;
    corruptIf(start >= end);
    const first = input[start]!;
    const type = first & 3;
    const format = (first >> 2) & 3;
    if (type >= 2) return this.readCompressedLiterals(start, end, type === 2);
    const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    corruptIf(start + headerBytes > end);
    const size = input.readUIntLE(start, headerBytes) >>> (headerBytes === 1 ? 3 : 4);
    const from = start + headerBytes;
    const to = from + (type === 1 ? 1 : size);
    corruptIf(to > end || size > BLOCK_BYTES_MAX);
    this.literals = type === 0 ? input.subarray(from, to) : Buffer.alloc(size, input[from]);
    return to;
  }

  private readCompressedLiterals(start: number, end: number, hasTable: boolean): number {
    const { input } = this;
    const format = (input[start]! >> 2) & 3;
    const headerBytes = format < 2 ? 3 : format + 2;
    const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18;
    let from = start + headerBytes;
    corruptIf(from > end);
    const header = Math.floor(input.readUIntLE(start, headerBytes) / 16);
    const size = header % 2 ** sizeBits;
    const to = from + Math.floor(header / 2 ** sizeBits);
    corruptIf(to > end || size > BLOCK_BYTES_MAX);
    if (hasTable) {
      const { table, end: tableEnd } = readHuffmanTable(input, from, to);
      this.huffman = table;
      from = tableEnd;
    }
    const { huffman } = this;
    corruptIf(huffman === null);
    const literals = Buffer.allocUnsafe(size);
    this.literals = literals;
    if (format === 0) {
      huffman!.decode(input, from, to, literals, 0, size);
      return to;
    }
    this.readFourStreams(huffman!, from, to, literals);
    return to;
  }

  /** Three uint16 sizes, then four streams, each of a quarter of the literals (the last: what is left). */
  private readFourStreams(
    huffman: HuffmanTable,
    start: number,
    end: number,
    literals: Buffer,
  ): void {
    const { input } = this;
    let from = start + 6;
    corruptIf(from > end);
    const quarter = Math.floor((literals.length + 3) / 4);
    corruptIf(quarter * 3 > literals.length);
    for (let stream = 0; stream < 4; stream++) {
      const to = stream === 3 ? end : from + input.readUInt16LE(start + stream * 2);
      corruptIf(to > end);
      const outEnd = stream === 3 ? literals.length : (stream + 1) * quarter;
      huffman.decode(input, from, to, literals, stream * quarter, outEnd);
      from = to;
    }
  }

  private reserve(bytes: number): void {
    if (!this.output.reserve(bytes)) throw new ZstdError('too-large');
  }
}
