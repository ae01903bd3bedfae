import type { DamagedRange } from './log-state.ts';

/** The damaged range that holds the offset, or null. Ranges are sorted and do not touch. */
export function damageAt(ranges: readonly DamagedRange[], offset: number): DamagedRange | null {
  for (const range of ranges) {
    if (range.from > offset) return null;
    if (offset < range.to) return range;
  }
  return null;
}

/** Where the next damaged range after the offset begins; Infinity when there is none. */
export function damageAfter(ranges: readonly DamagedRange[], offset: number): number {
  for (const range of ranges) if (range.from > offset) return range.from;
  return Infinity;
}

/** The ranges with another one, merged where they touch. */
export function addDamage(
  ranges: readonly DamagedRange[] | null,
  added: DamagedRange,
): DamagedRange[] {
  const sorted = [...(ranges ?? []), added].sort((a, b) => a.from - b.from);
  const merged: DamagedRange[] = [];
  for (const range of sorted) {
    const last = merged[merged.length - 1];
    if (last === undefined || range.from > last.to) merged.push(range);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return merged;
}

/** The ranges as far as they lie at or after the offset; null when none does. */
export function damageFrom(
  ranges: readonly DamagedRange[] | null,
  offset: number,
): DamagedRange[] | null {
  if (ranges === null) return null;
  const kept = ranges.filter((range) => range.to > offset);
  return kept.length === 0 ? null : kept;
}
