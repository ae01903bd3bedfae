import type { ConfigDefinition, ConfigEffect, ConfigRule, ConfigType } from './definition.ts';

/** How a broker configuration can change while the broker runs. */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide';

export interface BrokerConfigDefinition extends ConfigDefinition {
  readonly update: UpdateMode;
}

const NO_EFFECT_DOC = 'A setting of Kafka’s own machinery; nothing here depends on it.';

/** One row of the broker configuration tables. */
export function brokerConfig(
  name: string,
  type: ConfigType,
  defaultValue: string | null,
  more: { update?: UpdateMode; rule?: ConfigRule; effect?: ConfigEffect; doc?: string } = {},
): BrokerConfigDefinition {
  return {
    name,
    type,
    defaultValue,
    effect: more.effect ?? 'no-effect',
    doc: more.doc ?? NO_EFFECT_DOC,
    rule: more.rule ?? null,
    update: more.update ?? 'read-only',
  };
}
