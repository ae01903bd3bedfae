import { ForwardBits, highestBit, type BackwardBits } from './zstd-bits.ts';
import { corruptIf } from './zstd-error.ts';

/** A finite state entropy table (RFC 8878, section 4.1): per state its symbol, and how the next state is read. */
export class FseTable {
  readonly accuracyLog: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
  readonly baselines: Uint16Array;

  /** From probabilities per symbol, which add up to 2^accuracyLog; -1 stands for "less than one". */
  constructor(probabilities: readonly number[], accuracyLog: number) {
    const size = 1 << accuracyLog;
    this.accuracyLog = accuracyLog;
    this.symbols = new Uint8Array(size);
    this.bitCounts = new Uint8Array(size);
    this.baselines = new Uint16Array(size);
    const next = new Uint16Array(probabilities.length);
    let high = size;
    probabilities.forEach((probability, symbol) => {
      if (probability !== -1) return;
      this.symbols[--high] = symbol;
      next[symbol] = 1;
    });
    const step = (size >> 1) + (size >> 3) + 3;
    let position = 0;
    probabilities.forEach((probability, symbol) => {
      if (probability <= 0) return;
      next[symbol] = probability;
      for (let i = 0; i < probability; i++) {
        this.symbols[position] = symbol;
        do position = (position + step) & (size - 1);
        while (position >= high);
      }
    });
    corruptIf(position !== 0);
    for (let state = 0; state < size; state++) {
      const value = next[this.symbols[state]!]!++;
      const bits = accuracyLog - highestBit(value);
      this.bitCounts[state] = bits;
      this.baselines[state] = (value << bits) - size;
    }
  }

  /** A table of one symbol that takes no bits. */
  static ofSymbol(symbol: number): FseTable {
    const table = new FseTable([1], 0);
    table.symbols[0] = symbol;
    return table;
  }

  next(state: number, bits: BackwardBits): number {
    return this.baselines[state]! + bits.read(this.bitCounts[state]!);
  }
}

/** Reads a table description in [start, end); `end` of the result is the position behind it. */
export function readFseTable(
  bytes: Buffer,
  start: number,
  end: number,
  limits: { readonly accuracyLogMax: number; readonly symbolMax: number },
): { readonly table: FseTable; readonly end: number } {
  const bits = new ForwardBits(bytes, start, end);
  const accuracyLog = bits.read(4) + 5;
  corruptIf(accuracyLog > limits.accuracyLogMax);
  const probabilities: number[] = [];
  let remaining = 1 << accuracyLog;
  while (remaining > 0) {
    // Values 0 to remaining + 1, the smaller of which are written with one bit less.
    const width = highestBit(remaining + 1) + 1;
    const lowMask = (1 << (width - 1)) - 1;
    const short = (1 << width) - 1 - (remaining + 1);
    let value = bits.read(width);
    if ((value & lowMask) < short) {
      bits.rewind(1);
      value &= lowMask;
    } else if (value > lowMask) {
      value -= short;
    }
    const probability = value - 1;
    remaining -= Math.abs(probability);
    probabilities.push(probability);
    if (probability === 0) {
      let zeros: number;
      do {
        zeros = bits.read(2);
        for (let i = 0; i < zeros; i++) probabilities.push(0);
      } while (zeros === 3);
    }
    corruptIf(probabilities.length > limits.symbolMax + 1);
  }
  corruptIf(remaining !== 0);
  return { table: new FseTable(probabilities, accuracyLog), end: bits.bytePosition };
}
