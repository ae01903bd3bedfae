import { BackwardBits, highestBit } from './zstd-bits.ts';
import { corruptIf } from './zstd-error.ts';
import { readFseTable } from './zstd-fse.ts';

const CODE_BITS_MAX = 11;
const WEIGHTS_MAX = 255;

/** Codes of literals (RFC 8878, section 4.2): per possible next bits the symbol and the length of its code. */
export class HuffmanTable {
  private readonly codeBitsMax: number;
  private readonly symbols: Uint8Array;
  private readonly codeBits: Uint8Array;

  /** weights of symbols 0, 1, ...; the last symbol's weight follows from the others. */
  constructor(weights: readonly number[]) {
    let sum = 0;
    for (const weight of weights) {
      corruptIf(weight > CODE_BITS_MAX);
      if (weight > 0) sum += 1 << (weight - 1);
    }
    corruptIf(sum === 0);
    const bitsMax = highestBit(sum) + 1;
    const rest = (1 << bitsMax) - sum;
    corruptIf(bitsMax > CODE_BITS_MAX || (rest & (rest - 1)) !== 0);
    const all = [...weights, highestBit(rest) + 1];
    this.codeBitsMax = bitsMax;
    this.symbols = new Uint8Array(1 << bitsMax);
    this.codeBits = new Uint8Array(1 << bitsMax);
    let position = 0;
    // The longest codes (weight 1) come first, and symbols of one weight in their order.
    for (let weight = 1; weight <= bitsMax; weight++) {
      for (let symbol = 0; symbol < all.length; symbol++) {
        if (all[symbol] !== weight) continue;
        const end = position + (1 << (weight - 1));
        this.symbols.fill(symbol, position, end);
        this.codeBits.fill(bitsMax + 1 - weight, position, end);
        position = end;
      }
    }
  }

  /** Decodes the stream in [start, end) of the input into exactly output[from, to). */
  decode(
    input: Buffer,
    start: number,
    end: number,
    output: Buffer,
    from: number,
    to: number,
  ): void {
    const bits = new BackwardBits(input, start, end);
    const { symbols, codeBits, codeBitsMax } = this;
    for (let at = from; at < to; at++) {
      const code = bits.peek(codeBitsMax);
      output[at] = symbols[code]!;
      bits.bitsLeft -= codeBits[code]!;
    }
    corruptIf(bits.bitsLeft !== 0);
  }
}

/** Reads a tree description in [start, end); `end` of the result is the position behind it. */
export function readHuffmanTable(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly table: HuffmanTable; readonly end: number } {
  corruptIf(start >= end);
  const header = bytes[start]!;
  const first = start + 1;
  if (header < 128) {
    const last = first + header;
    corruptIf(last > end);
    return { table: new HuffmanTable(readWeights(bytes, first, last)), end: last };
  }
  const count = header - 127;
  const last = first + Math.ceil(count / 2);
  corruptIf(last > end);
  const weights: number[] = [];
  for (let i = 0; i < count; i++) {
    const pair = bytes[first + (i >> 1)]!;
    weights.push(i % 2 === 0 ? pair >> 4 : pair & 15);
  }
  return { table: new HuffmanTable(weights), end: last };
}

/** Weights that are compressed themselves: two states take turns until the bits are used up. */
function readWeights(bytes: Buffer, start: number, end: number): readonly number[] {
  const limits = { accuracyLogMax: 6, symbolMax: CODE_BITS_MAX + 1 };
  const { table, end: streamStart } = readFseTable(bytes, start, end, limits);
  const bits = new BackwardBits(bytes, streamStart, end);
  const weights: number[] = [];
  let current = bits.read(table.accuracyLog);
  let other = bits.read(table.accuracyLog);
  corruptIf(bits.bitsLeft < 0);
  for (;;) {
    weights.push(table.symbols[current]!);
    // A table may take no bits at all: without this, such a stream would never end.
    corruptIf(weights.length >= WEIGHTS_MAX);
    current = table.next(current, bits);
    if (bits.bitsLeft < 0) break;
    [current, other] = [other, current];
  }
  weights.push(table.symbols[other]!);
  return weights;
}
