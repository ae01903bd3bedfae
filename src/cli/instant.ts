import { parseDuration } from '../config/units.ts';

/**
 * A point in time as ms since the epoch, or null: RFC 3339 (`2026-11-21T10:00:00Z`), a day (`2026-11-21`), a
 * duration back from now (`-15m`), or 13 digits of milliseconds.
 */
export function parseInstant(text: string, nowMs: number): number | null {
  const trimmed = text.trim();
  if (/^\d{13}$/.test(trimmed)) return Number(trimmed);
  if (trimmed.startsWith('-')) {
    const back = parseDuration(trimmed.slice(1));
    return back === null ? null : nowMs - back;
  }
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/.test(trimmed)) return null;
  const instant = Date.parse(trimmed);
  return Number.isNaN(instant) ? null : instant;
}
