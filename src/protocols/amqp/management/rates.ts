import type { Clock } from '../../../base/clock.ts';
import type { Json } from './json.ts';

/** A look that is older than this is kept to compare with; a rate is over at least that long, once there was one. */
const STEP_MS = 5_000;

/** Objects remembered; a list of more tells no rates for the rest. */
const OBJECTS_MAX = 10_000;
/** Then the next ones get their turn. */
const FULL_MS = 60_000;

interface Look {
  readonly atMs: number;
  readonly values: readonly number[];
}

interface Looks {
  older: Look;
  newer: Look;
}

/**
 * Rates of counters, from looks at them: nothing is sampled in the background, so objects that nobody asks about cost
 * nothing. The first look at an object has no rate to tell; later ones tell that since a look five seconds ago or more.
 */
export class Rates {
  private readonly clock: Clock;
  private objects = 0;
  private sinceMs = 0;
  private looks = new WeakMap<object, Map<string, Looks>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Per second, for each value; the same values in the same order at each look at (owner, kind). */
  of(owner: object, kind: string, values: readonly number[]): readonly number[] {
    const atMs = this.clock.monotonicMs();
    let kinds = this.looks.get(owner);
    if (kinds === undefined) {
      if (!this.hasRoom(atMs)) return values.map(() => 0);
      kinds = new Map();
      this.looks.set(owner, kinds);
    }
    const known = kinds.get(kind);
    if (known === undefined) {
      const look = { atMs, values };
      kinds.set(kind, { older: look, newer: look });
      return values.map(() => 0);
    }
    const { older } = known;
    if (atMs - known.newer.atMs >= STEP_MS) {
      known.older = known.newer;
      known.newer = { atMs, values };
    }
    const seconds = (atMs - older.atMs) / 1000;
    return values.map((value, i) => {
      const change = value - (older.values[i] ?? 0);
      return seconds > 0 ? Math.round((change / seconds) * 1000) / 1000 : 0;
    });
  }

  /** Forgets all looks. */
  reset(): void {
    this.objects = 0;
    this.looks = new WeakMap();
  }

  private hasRoom(nowMs: number): boolean {
    if (this.objects >= OBJECTS_MAX) {
      if (nowMs - this.sinceMs < FULL_MS) return false;
      this.reset();
    }
    this.objects++;
    if (this.objects === OBJECTS_MAX) this.sinceMs = nowMs;
    return true;
  }

  /** Counters with a `..._details` member each, which has their rate. */
  stats(owner: object, kind: string, counters: Readonly<Record<string, number>>): Json {
    const values = Object.values(counters);
    const rates = this.of(owner, kind, values);
    const entries = Object.keys(counters).flatMap((name, i) => [
      [name, values[i]] as const,
      [`${name}_details`, { rate: rates[i] }] as const,
    ]);
    return Object.fromEntries(entries);
  }
}
