import { BackwardBits } from './zstd-bits.ts';
import { corruptIf } from './zstd-error.ts';
import { FseTable, readFseTable } from './zstd-fse.ts';

/** How codes of one kind stand for numbers: a baseline and further bits (RFC 8878, section 3.1.1.3.2.1.1). */
interface CodeKind {
  readonly accuracyLogMax: number;
  readonly symbolMax: number;
  readonly predefined: FseTable;
}

// prettier-ignore
const LITERAL_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];
// prettier-ignore
const MATCH_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];
const LITERAL_BASES = basesOf(LITERAL_BITS, 0);
const MATCH_BASES = basesOf(MATCH_BITS, 3);

// prettier-ignore
const LITERAL_LENGTHS: CodeKind = {
  accuracyLogMax: 9,
  symbolMax: 35,
  predefined: new FseTable([
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
  ], 6),
};
// prettier-ignore
const MATCH_LENGTHS: CodeKind = {
  accuracyLogMax: 9,
  symbolMax: 52,
  predefined: new FseTable([
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
  ], 6),
};
// prettier-ignore
const OFFSETS: CodeKind = {
  accuracyLogMax: 8,
  symbolMax: 31,
  predefined: new FseTable([
    1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
  ], 5),
};

/** Each code begins where the one before ends. */
function basesOf(bits: readonly number[], first: number): readonly number[] {
  const bases: number[] = [];
  let base = first;
  for (const count of bits) {
    bases.push(base);
    base += 2 ** count;
  }
  return bases;
}

/** The sequences of a block, one after the other: so many literals, then a match of some bytes from so far back. */
export class SequenceReader {
  literalLength = 0;
  matchLength = 0;
  /** As written: 1 to 3 name recent offsets, larger ones are the offset + 3. */
  offsetValue = 0;
  /** Sequences that were not read yet. */
  left = 0;
  private literalTable: FseTable | null = null;
  private offsetTable: FseTable | null = null;
  private matchTable: FseTable | null = null;
  private literalState = 0;
  private offsetState = 0;
  private matchState = 0;
  private bits: BackwardBits | null = null;

  /** Begins with the sequences section in [start, end). Tables of the block before may be used again. */
  open(bytes: Buffer, start: number, end: number): void {
    corruptIf(start >= end);
    let at = start;
    let count = bytes[at++]!;
    if (count > 127) {
      corruptIf(at + (count === 255 ? 2 : 1) > end);
      if (count === 255) {
        count = bytes.readUInt16LE(at) + 0x7f00;
        at += 2;
      } else {
        count = ((count - 128) << 8) + bytes[at++]!;
      }
    }
    this.left = count;
    if (count === 0) {
      corruptIf(at !== end);
      return;
    }
    corruptIf(at >= end);
    const modes = bytes[at++]!;
    corruptIf((modes & 3) !== 0);
    const read = (kind: CodeKind, mode: number, previous: FseTable | null): FseTable => {
      const { table, end: next } = readTable(bytes, at, end, kind, mode, previous);
      at = next;
      return table;
    };
    this.literalTable = read(LITERAL_LENGTHS, modes >> 6, this.literalTable);
    this.offsetTable = read(OFFSETS, (modes >> 4) & 3, this.offsetTable);
    this.matchTable = read(MATCH_LENGTHS, (modes >> 2) & 3, this.matchTable);
    const bits = new BackwardBits(bytes, at, end);
    this.bits = bits;
    this.literalState = bits.read(this.literalTable.accuracyLog);
    this.offsetState = bits.read(this.offsetTable.accuracyLog);
    this.matchState = bits.read(this.matchTable.accuracyLog);
  }

  /** Reads one; there must be one left. */
  next(): void {
    const bits = this.bits!;
    const literalTable = this.literalTable!;
    const offsetTable = this.offsetTable!;
    const matchTable = this.matchTable!;
    const offsetCode = offsetTable.symbols[this.offsetState]!;
    const matchCode = matchTable.symbols[this.matchState]!;
    const literalCode = literalTable.symbols[this.literalState]!;
    this.offsetValue = 2 ** offsetCode + bits.read(offsetCode);
    this.matchLength = MATCH_BASES[matchCode]! + bits.read(MATCH_BITS[matchCode]!);
    this.literalLength = LITERAL_BASES[literalCode]! + bits.read(LITERAL_BITS[literalCode]!);
    this.left--;
    if (this.left > 0) {
      this.literalState = literalTable.next(this.literalState, bits);
      this.matchState = matchTable.next(this.matchState, bits);
      this.offsetState = offsetTable.next(this.offsetState, bits);
    }
    corruptIf(this.left > 0 ? bits.bitsLeft < 0 : bits.bitsLeft !== 0);
  }
}

function readTable(
  bytes: Buffer,
  start: number,
  end: number,
  kind: CodeKind,
  mode: number,
  previous: FseTable | null,
): { readonly table: FseTable; readonly end: number } {
  if (mode === 0) return { table: kind.predefined, end: start };
  if (mode === 2) return readFseTable(bytes, start, end, kind);
  if (mode === 1) {
    corruptIf(start >= end || bytes[start]! > kind.symbolMax);
    return { table: FseTable.ofSymbol(bytes[start]!), end: start + 1 };
  }
  corruptIf(previous === null);
  return { table: previous!, end: start };
}
