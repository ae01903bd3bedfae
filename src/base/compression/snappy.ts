import type { DecompressionDefect } from './index.ts';

/**
 * Snappy, in the two forms Kafka clients send:
 *
 *   raw:    uncompressed length as an unsigned varint, then elements (below)
 *   xerial: 82 'SNAPPY' 00, version int32, compatible version int32, then blocks: length int32, raw snappy
 *
 * Elements, by the low two bits of the tag byte (format_description.txt of google/snappy):
 *   00 literal: length-1 in the upper six bits, or 60..63: in the 1..4 little-endian bytes that follow
 *   01 copy: length-4 in bits 2-4, offset in bits 5-7 (high) and the next byte
 *   10 copy: length-1 in the upper six bits, offset in 2 bytes;  11: the same, offset in 4 bytes
 */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
/** No element makes more than 64 bytes out of 3, so a larger claimed length is a lie. */
const EXPANSION_MAX = 32;

export function decompressSnappy(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  const xerial =
    input.length >= XERIAL_HEADER_BYTES &&
    input.compare(XERIAL_MAGIC, 0, XERIAL_MAGIC.length, 0, XERIAL_MAGIC.length) === 0;
  return xerial ? decompressXerial(input, maxBytes) : decompressRaw(input, maxBytes);
}

function decompressXerial(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  const blocks: Buffer[] = [];
  let total = 0;
  let position = XERIAL_HEADER_BYTES;
  while (position < input.length) {
    if (position + 4 > input.length) return 'corrupt';
    const length = input.readInt32BE(position);
    position += 4;
    if (length < 1 || length > input.length - position) return 'corrupt';
    const block = decompressRaw(input.subarray(position, position + length), maxBytes - total);
    if (typeof block === 'string') return block;
    blocks.push(block);
    total += block.length;
    position += length;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, total);
}

function decompressRaw(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  let size = 0;
  let position = 0;
  for (let shift = 0; ; shift += 7) {
    if (position >= input.length || shift > 28) return 'corrupt';
    const byte = input[position++]!;
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (size > maxBytes) return 'too-large';
  if (size > input.length * EXPANSION_MAX) return 'corrupt';
  const output = Buffer.allocUnsafe(size);
  return expand(input, position, output) ? output : 'corrupt';
}

/** Fills the output from the elements; false when they do not fit it exactly. */
function expand(input: Buffer, start: number, output: Buffer): boolean {
  let from = start;
  let to = 0;
  while (from < input.length) {
    const tag = input[from++]!;
    const kind = tag & 3;
    let length: number;
    if (kind === 0) {
      length = (tag >>> 2) + 1;
      if (length > 60) {
        const extra = length - 60;
        if (from + extra > input.length) return false;
        length = input.readUIntLE(from, extra) + 1;
        from += extra;
      }
      if (length > input.length - from || length > output.length - to) return false;
      input.copy(output, to, from, from + length);
      from += length;
      to += length;
      continue;
    }
    let offset: number;
    const offsetBytes = kind === 3 ? 4 : kind;
    if (from + offsetBytes > input.length) return false;
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      offset = ((tag & 0xe0) << 3) | input[from]!;
    } else {
      length = (tag >>> 2) + 1;
      offset = input.readUIntLE(from, offsetBytes);
    }
    from += offsetBytes;
    if (offset === 0 || offset > to || length > output.length - to) return false;
    // The source may overlap what is being written: a copy then repeats it, so byte by byte.
    for (let i = 0; i < length; i++, to++) output[to] = output[to - offset]!;
  }
  return to === output.length;
}
