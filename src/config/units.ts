/** Sizes and durations as people write them, both ways. A bare number is bytes, or milliseconds. */

const BYTE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const UNLIMITED = new Set(['unlimited', 'infinite', 'none', '-1']);

/** Bytes, or null when the text is not a size. `10MiB`, `10 MB`, `512`; a bare `10M` is refused as ambiguous. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim().replaceAll('_', ''));
  if (match === null) return null;
  const factor = BYTE_UNITS[(match[2] || 'b').toLowerCase()];
  if (factor === undefined) return null;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Milliseconds, or null when the text is not a duration. `7d`, `1h30m`, `250ms`, `1500`. */
export function parseDuration(text: string): number | null {
  const compact = text.trim().replaceAll(/[\s_]/g, '').toLowerCase();
  if (/^\d+$/.test(compact)) return safe(Number(compact));
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(compact)) return null;
  let total = 0;
  for (const [, amount, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(amount) * (DURATION_UNITS[unit ?? ''] ?? 0);
  }
  return safe(Math.round(total));
}

/** A fraction in [0, 1], or null. `75%`, `0.75`. */
export function parseRatio(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim());
  if (match === null) return null;
  const ratio = Number(match[1]) / (match[2] === '%' ? 100 : 1);
  return ratio <= 1 ? ratio : null;
}

export function isUnlimited(text: string): boolean {
  return UNLIMITED.has(text.trim().toLowerCase());
}

/** The shortest exact form where there is one, else three digits: 10MiB, 1.46GiB, 512B. */
export function formatBytes(bytes: number): string {
  if (bytes === Infinity) return 'unlimited';
  const units = ['TiB', 'GiB', 'MiB', 'KiB'];
  for (const unit of units) {
    const factor = BYTE_UNITS[unit.toLowerCase()] ?? 1;
    if (bytes >= factor) return `${trimNumber(bytes / factor)}${unit}`;
  }
  return `${bytes}B`;
}

/** Up to two units: 7d, 1h30m, 1.25s, 250ms. */
export function formatDuration(ms: number): string {
  if (ms === Infinity) return 'unlimited';
  if (ms < 1_000) return `${trimNumber(ms)}ms`;
  if (ms < 60_000) return `${trimNumber(ms / 1_000)}s`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const unit of ['d', 'h', 'm', 's']) {
    const factor = DURATION_UNITS[unit] ?? 1;
    const amount = Math.floor(rest / factor);
    rest -= amount * factor;
    if (amount > 0) parts.push(`${amount}${unit}`);
  }
  return parts.slice(0, 2).join('');
}

function safe(value: number): number | null {
  return Number.isSafeInteger(value) ? value : null;
}

function trimNumber(value: number): string {
  return String(Number(value.toPrecision(value >= 1_000 ? 4 : 3)));
}
