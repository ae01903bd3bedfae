import type { MetaStore } from '../storage/meta-store.ts';
import type { Unsubscribe } from '../storage/types.ts';
import type { EventBus } from './events.ts';

const PREFIX = 'settings/';
const ATTEMPTS_MAX = 10;

/** Settings of one scope: name -> value, both opaque to core. */
export type SettingValues = Readonly<Record<string, string>>;

const NONE: SettingValues = Object.freeze({});

/**
 * Settings that were changed while the broker runs, durable and by scope: 'broker' for all brokers, 'broker/1' for
 * one, 'group/orders' and whatever else a front-end needs. Only overrides are here: who reads knows the defaults.
 */
export class SettingsStore {
  private readonly meta: MetaStore;
  private readonly events: EventBus;
  private readonly scopes = new Map<string, SettingValues>();
  private unwatch: Unsubscribe | null = null;

  constructor(meta: MetaStore, events: EventBus) {
    this.meta = meta;
    this.events = events;
  }

  /** Reads what is stored; call it once, when the engine is open. */
  load(): void {
    for (const { key, value } of this.meta.range(PREFIX)) this.apply(key, value);
    this.unwatch = this.meta.watch(PREFIX, ({ key, value }) => {
      this.apply(key, value);
      this.events.emit('settings-changed', { scope: scopeOf(key) });
    });
  }

  close(): void {
    this.unwatch?.();
    this.unwatch = null;
  }

  get(scope: string, name: string): string | null {
    return this.all(scope)[name] ?? null;
  }

  all(scope: string): SettingValues {
    return this.scopes.get(scope) ?? NONE;
  }

  /** Scopes that have settings and begin with the prefix, in order. */
  list(prefix: string): readonly string[] {
    return [...this.scopes.keys()].filter((scope) => scope.startsWith(prefix)).sort();
  }

  /** Sets values, and removes those that are null. Resolves when durable; 'busy' when others kept changing the scope. */
  async alter(
    scope: string,
    changes: Readonly<Record<string, string | null>>,
  ): Promise<'ok' | 'busy'> {
    const key = PREFIX + encodeURIComponent(scope);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const entry = this.meta.get(key);
      const values = new Map(Object.entries(entry === null ? {} : parse(entry.value)));
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) values.delete(name);
        else values.set(name, value);
      }
      const value = JSON.stringify(Object.fromEntries(values));
      const { succeeded } = await this.meta.txn({
        compares: [{ key, modRevision: entry?.modRevision ?? 0 }],
        then: [values.size === 0 ? { op: 'delete', key } : { op: 'put', key, value }],
      });
      if (succeeded) return 'ok';
    }
    return 'busy';
  }

  private apply(key: string, value: string | null): void {
    const scope = scopeOf(key);
    if (value === null) this.scopes.delete(scope);
    else this.scopes.set(scope, Object.freeze(parse(value)));
  }
}

function scopeOf(key: string): string {
  return decodeURIComponent(key.slice(PREFIX.length));
}

function parse(text: string): Record<string, string> {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null) return {};
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, String(value)]));
}
