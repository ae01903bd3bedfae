/** A set of characters: sorted, disjoint, inclusive ranges of code points. */
export type CharSet = readonly (readonly [first: number, last: number])[];

/** Places between characters. 'end' also holds before a line feed that ends the text. */
export type Place = 'start' | 'end' | 'very-end' | 'line-start' | 'line-end' | 'word' | 'no-word';

/** A pattern as a tree. */
export type Node =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'either'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }
  | {
      readonly kind: 'look';
      readonly node: Node;
      readonly behind: boolean;
      readonly negative: boolean;
    };

export const CODE_POINT_MAX = 0x10ffff;

/** Merges ranges into a set. */
export function charSet(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) {
      previous[1] = Math.max(previous[1], last);
    } else {
      merged.push([first, last]);
    }
  }
  return merged;
}

export function invertSet(set: CharSet): CharSet {
  const inverted: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) inverted.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= CODE_POINT_MAX) inverted.push([next, CODE_POINT_MAX]);
  return inverted;
}

/** The set with the other cases of its letters; letters beyond U+024F are left as they are. */
export function ignoreCase(set: CharSet): CharSet {
  const ranges: (readonly [number, number])[] = [...set];
  for (const [first, last] of set) {
    for (let code = first; code <= Math.min(last, 0x24f); code++) {
      for (const other of otherCases(code)) ranges.push([other, other]);
    }
  }
  return charSet(ranges);
}

export function setHas(set: CharSet, code: number): boolean {
  for (const [first, last] of set) {
    if (code < first) return false;
    if (code <= last) return true;
  }
  return false;
}

function otherCases(code: number): readonly number[] {
  const text = String.fromCodePoint(code);
  return [text.toLowerCase(), text.toUpperCase()].flatMap((other) => {
    // An upper case of several characters (ß) is not another case of one.
    const isOne = Array.from(other).length === 1;
    return isOne && other !== text ? [other.codePointAt(0) ?? code] : [];
  });
}

const DIGIT: CharSet = [[0x30, 0x39]];
const WORD = charSet([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
const SPACE = charSet([
  [0x09, 0x0d],
  [0x20, 0x20],
]);
const BLANK = charSet([
  [0x09, 0x09],
  [0x20, 0x20],
]);
const UPPER: CharSet = [[0x41, 0x5a]];
const LOWER: CharSet = [[0x61, 0x7a]];
const GRAPHIC: CharSet = [[0x21, 0x7e]];

export const NOT_NEWLINE = invertSet([[0x0a, 0x0a]]);
export const ANYTHING: CharSet = [[0, CODE_POINT_MAX]];

/** Escapes that stand for sets; the upper-case letter is the opposite. */
export const ESCAPED_SETS: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  D: invertSet(DIGIT),
  w: WORD,
  W: invertSet(WORD),
  s: SPACE,
  S: invertSet(SPACE),
  h: BLANK,
  H: invertSet(BLANK),
  N: NOT_NEWLINE,
};

/** Names in [[:name:]]. */
export const POSIX_SETS: Readonly<Record<string, CharSet>> = {
  alpha: charSet([...UPPER, ...LOWER]),
  digit: DIGIT,
  alnum: charSet([...UPPER, ...LOWER, ...DIGIT]),
  upper: UPPER,
  lower: LOWER,
  space: SPACE,
  blank: BLANK,
  punct: charSet([
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ]),
  graph: GRAPHIC,
  print: [[0x20, 0x7e]],
  cntrl: charSet([
    [0x00, 0x1f],
    [0x7f, 0x7f],
  ]),
  xdigit: charSet([...DIGIT, [0x41, 0x46], [0x61, 0x66]]),
  word: WORD,
};
