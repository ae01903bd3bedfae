import type { MetaStore } from '../../../storage/meta-store.ts';

/** Things besides topics that carry configurations changed at run time. */
export type DynamicResource = 'broker' | 'group' | 'client-metrics';

export type ConfigValues = Readonly<Record<string, string>>;

const KEY_PREFIX = 'kafka/config/';
const NO_VALUES: ConfigValues = Object.freeze({});

/**
 * Configurations of brokers (name '' means all brokers), groups and client metrics, kept in the metadata store under
 * `kafka/config/<resource>/<name>` as JSON objects of text values.
 */
export class DynamicConfigs {
  private readonly meta: MetaStore;

  constructor(meta: MetaStore) {
    this.meta = meta;
  }

  /** The values that were set; none for a name never configured. */
  get(resource: DynamicResource, name: string): ConfigValues {
    const entry = this.meta.get(keyOf(resource, name));
    return entry === null ? NO_VALUES : parseValues(entry.value);
  }

  /** Names that have at least one value, in order. */
  names(resource: DynamicResource): readonly string[] {
    const prefix = keyOf(resource, '');
    return this.meta
      .range(prefix)
      .map((entry) => decodeURIComponent(entry.key.slice(prefix.length)));
  }

  /** Replaces all values of a name; resolves when durable. */
  async set(resource: DynamicResource, name: string, values: ConfigValues): Promise<void> {
    const key = keyOf(resource, name);
    if (Object.keys(values).length === 0) {
      await this.meta.txn({ then: [{ op: 'delete', key }] });
      return;
    }
    await this.meta.txn({ then: [{ op: 'put', key, value: JSON.stringify(values) }] });
  }

  /** Calls back after broker values changed, whoever changed them. */
  onBrokerChange(callback: () => void): () => void {
    return this.meta.watch(keyOf('broker', ''), callback);
  }
}

function keyOf(resource: DynamicResource, name: string): string {
  return `${KEY_PREFIX}${resource}/${encodeURIComponent(name)}`;
}

function parseValues(json: string): ConfigValues {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'object' || parsed === null) return NO_VALUES;
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === 'string') values[name] = value;
  }
  return values;
}
