import type { EventBus } from '../../../core/events.ts';
import type { SettingsStore } from '../../../core/settings.ts';

/** Things besides topics that carry configurations changed at run time. */
export type DynamicResource = 'broker' | 'group' | 'client-metrics';

export type ConfigValues = Readonly<Record<string, string>>;

/**
 * Configurations of brokers (name '' means all brokers), groups and client metrics, as scopes of the broker's
 * settings: `broker`, `broker/1`, `group/<name>`, `client-metrics/<name>`.
 */
export class DynamicConfigs {
  private readonly settings: SettingsStore;
  private readonly events: EventBus;

  constructor(settings: SettingsStore, events: EventBus) {
    this.settings = settings;
    this.events = events;
  }

  /** The values that were set; none for a name never configured. */
  get(resource: DynamicResource, name: string): ConfigValues {
    return this.settings.all(scopeOf(resource, name));
  }

  /** Names that have at least one value, in order. */
  names(resource: DynamicResource): readonly string[] {
    const prefix = `${resource}/`;
    return this.settings.list(prefix).map((scope) => scope.slice(prefix.length));
  }

  /** Replaces all values of a name; resolves when durable, with 'busy' when others kept changing them. */
  async set(resource: DynamicResource, name: string, values: ConfigValues): Promise<'ok' | 'busy'> {
    const changes: Record<string, string | null> = {};
    for (const old of Object.keys(this.get(resource, name))) changes[old] = null;
    return this.settings.alter(scopeOf(resource, name), Object.assign(changes, values));
  }

  /** Calls back after broker values changed, whoever changed them. */
  onBrokerChange(callback: () => void): () => void {
    return this.events.on('settings-changed', ({ scope }) => {
      if (scope === 'broker' || scope.startsWith('broker/')) callback();
    });
  }
}

function scopeOf(resource: DynamicResource, name: string): string {
  return name === '' ? resource : `${resource}/${name}`;
}
