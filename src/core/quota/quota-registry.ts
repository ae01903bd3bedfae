import type { Clock } from '../../base/clock.ts';
import type { Principal } from '../../security/principal.ts';
import type { MetaStore } from '../../storage/meta-store.ts';
import type { Unsubscribe } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventBus } from '../events.ts';
import {
  QUOTA_KINDS,
  entityKey,
  findEntityDefect,
  parseEntityKey,
  type QuotaEntity,
  type QuotaEntry,
  type QuotaKind,
  type QuotaRates,
} from './quota-entity.ts';
import { TokenBucket } from './token-bucket.ts';

const PREFIX = 'quotas/';
const ATTEMPTS_MAX = 10;
/** Nobody is told to wait longer; the rest of a debt is asked for again next time. */
const THROTTLE_MS_MAX = 30_000;

/** What front-ends ask. */
export interface Quotas {
  /**
   * Meters that a client used an amount (bytes, ms, or 1 per mutation or connection) and returns for how many ms it is
   * to be held back; 0 when it is within its rates.
   */
  throttleMs(principal: Principal, clientId: string, kind: QuotaKind, amount: number): number;
}

export interface QuotaRegistryOptions {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly bucketsMax: () => number;
}

/** The quotas of a broker, kept in the metadata store under quotas/, and the meters of who has one. */
export class QuotaRegistry implements Quotas {
  private readonly options: QuotaRegistryOptions;
  private readonly entries = new Map<string, QuotaEntry>();
  /** In order of use: what was idle longest comes first. */
  private readonly buckets = new Map<string, TokenBucket>();
  private unwatch: Unsubscribe | null = null;

  constructor(options: QuotaRegistryOptions) {
    this.options = options;
  }

  get bucketCount(): number {
    return this.buckets.size;
  }

  /** Reads what is stored; call it once, when the engine is open. */
  load(): void {
    const { meta, events } = this.options;
    for (const { key, value } of meta.range(PREFIX)) this.apply(key, value);
    this.unwatch = meta.watch(PREFIX, ({ key, value }) => {
      this.apply(key, value);
      this.buckets.clear();
      events.emit('quotas-changed', { entity: parseEntityKey(key.slice(PREFIX.length)) });
    });
  }

  close(): void {
    this.unwatch?.();
    this.unwatch = null;
  }

  describe(): readonly QuotaEntry[] {
    return [...this.entries.values()];
  }

  /** Sets rates, and removes those that are null. Resolves when durable. */
  async alter(
    entity: QuotaEntity,
    changes: Readonly<Partial<Record<QuotaKind, number | null>>>,
  ): Promise<{ readonly status: 'ok' | 'busy' } | { status: 'invalid'; message: string }> {
    const { meta } = this.options;
    const defect = findEntityDefect(entity) ?? findRateDefect(changes);
    if (defect !== null) return { status: 'invalid', message: defect };
    const key = PREFIX + entityKey(entity);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const entry = meta.get(key);
      const rates = new Map(Object.entries(entry === null ? {} : parseRates(entry.value)));
      for (const [kind, rate] of Object.entries(changes)) {
        if (rate === null) rates.delete(kind);
        else rates.set(kind, rate);
      }
      const value = JSON.stringify(Object.fromEntries(rates));
      const { succeeded } = await meta.txn({
        compares: [{ key, modRevision: entry?.modRevision ?? 0 }],
        then: [rates.size === 0 ? { op: 'delete', key } : { op: 'put', key, value }],
      });
      if (succeeded) return { status: 'ok' };
    }
    return { status: 'busy' };
  }

  throttleMs(principal: Principal, clientId: string, kind: QuotaKind, amount: number): number {
    if (this.entries.size === 0) return 0;
    const rule = this.ruleFor(principal.name, clientId, kind);
    if (rule === null) return 0;
    const nowMs = this.options.clock.monotonicMs();
    const key = `${kind}/${rule.meter}`;
    const bucket = this.buckets.get(key) ?? new TokenBucket(rule.rate, nowMs);
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > this.options.bucketsMax()) {
      for (const oldest of this.buckets.keys()) {
        this.buckets.delete(oldest);
        break;
      }
    }
    return Math.min(THROTTLE_MS_MAX, Math.ceil(bucket.take(amount, nowMs)));
  }

  /**
   * The most specific rule: user and client, then user, then client; a name before the rule for everybody. A rule
   * for a user meters all that user's clients together, one for everybody meters each on its own.
   */
  private ruleFor(
    user: string,
    clientId: string,
    kind: QuotaKind,
  ): { readonly rate: number; readonly meter: string } | null {
    for (const userName of [user, null]) {
      for (const client of [clientId, null]) {
        const rate = this.rate({ user: userName, clientId: client }, kind);
        if (rate !== null) return { rate, meter: entityKey({ user, clientId }) };
      }
      const rate = this.rate({ user: userName }, kind);
      if (rate !== null) return { rate, meter: entityKey({ user }) };
    }
    for (const client of [clientId, null]) {
      const rate = this.rate({ clientId: client }, kind);
      if (rate !== null) return { rate, meter: entityKey({ clientId }) };
    }
    return null;
  }

  private rate(entity: QuotaEntity, kind: QuotaKind): number | null {
    return this.entries.get(entityKey(entity))?.rates[kind] ?? null;
  }

  private apply(key: string, value: string | null): void {
    const name = key.slice(PREFIX.length);
    if (value === null) {
      this.entries.delete(name);
      return;
    }
    try {
      this.entries.set(name, { entity: parseEntityKey(name), rates: parseRates(value) });
    } catch (error) {
      this.options.logger.error('quota.unreadable', 'a quota is left out', { key, error });
    }
  }
}

function findRateDefect(changes: Readonly<Record<string, number | null>>): string | null {
  for (const [kind, rate] of Object.entries(changes)) {
    if (rate !== null && !(rate > 0)) return `${kind}: a positive rate expected`;
  }
  return null;
}

function parseRates(text: string): QuotaRates {
  const parsed = JSON.parse(text) as Record<string, unknown> | null;
  const rates: Partial<Record<QuotaKind, number>> = {};
  for (const kind of QUOTA_KINDS) {
    const rate = parsed?.[kind];
    if (typeof rate === 'number') rates[kind] = rate;
  }
  return rates;
}
