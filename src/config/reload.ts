import { loadConfig, type ConfigValue, type LoadedConfig } from './load.ts';
import { listSettings } from './schema.ts';

export interface ConfigChange {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** Takes effect now; otherwise at the next start. */
  readonly live: boolean;
}

export interface ReloadedConfig {
  readonly loaded: LoadedConfig;
  readonly changes: readonly ConfigChange[];
}

/** Reads the same sources again. Throws LB1001 when they no longer make a valid configuration. */
export function reloadConfig(current: LoadedConfig): ReloadedConfig {
  const loaded = loadConfig(current.sources);
  return { loaded, changes: diffConfig(current, loaded) };
}

/** The keys whose checked values differ, in the order of the schema. */
export function diffConfig(before: LoadedConfig, after: LoadedConfig): ConfigChange[] {
  const changes: ConfigChange[] = [];
  for (const { key, live } of listSettings()) {
    if (fingerprint(valueAt(before, key)) === fingerprint(valueAt(after, key))) continue;
    changes.push({ key, live, from: textOf(before.values, key), to: textOf(after.values, key) });
  }
  return changes;
}

function valueAt({ config }: LoadedConfig, key: string): unknown {
  let value: unknown = config;
  for (const part of key.split('.')) value = (value as Record<string, unknown>)[part];
  return value;
}

/** JSON has no Infinity. */
function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    member === Infinity ? 'unlimited' : member,
  );
}

function textOf(values: readonly ConfigValue[], key: string): string {
  return values.find((value) => value.key === key)?.text ?? '';
}
