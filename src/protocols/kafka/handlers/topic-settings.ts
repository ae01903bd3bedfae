import type { TopicConfig } from '../../../core/types.ts';
import { findConfigDefect } from '../configs/definition.ts';
import type { ConfigValues } from '../configs/dynamic-configs.ts';
import { TOPIC_CONFIG_BY_NAME } from '../configs/topic-configs.ts';
import type { RequestContext } from './handler.ts';

export type TopicSettings =
  | { readonly ok: true; readonly overrides: ConfigValues; readonly config: TopicConfig }
  | { readonly ok: false; readonly message: string };

/** Checks the configurations given for a topic and works out what they mean to core. */
export function checkTopicSettings(
  context: RequestContext,
  given: readonly { readonly name: string; readonly value: string | null }[],
): TopicSettings {
  const overrides: Record<string, string> = {};
  for (const { name, value } of given) {
    const defect = findTopicConfigDefect(name, value);
    if (defect !== null) return { ok: false, message: defect };
    overrides[name] = (value ?? '').trim();
  }
  const config = context.services.configResolver.topicConfig(overrides);
  return { ok: true, overrides, config };
}

/** Why a topic cannot have this configuration, in the words Kafka's tools expect; null when it can. */
export function findTopicConfigDefect(name: string, value: string | null): string | null {
  const definition = TOPIC_CONFIG_BY_NAME.get(name);
  if (definition === undefined) return `Unknown topic config name: ${name}`;
  if (value === null) return `Null value not supported for topic configs: ${name}`;
  const defect = findConfigDefect(definition, value);
  if (defect !== null) return defect;
  if (definition.effect === 'fixed' && value.trim() !== definition.defaultValue) {
    return `${name} can only be ${definition.defaultValue ?? 'unset'}: ${definition.doc}`;
  }
  return null;
}

/** Says in the log which of the configurations just set nothing depends on. */
export function noticeIneffective(
  context: RequestContext,
  topic: string,
  overrides: ConfigValues,
): void {
  const names = Object.keys(overrides).filter(
    (name) => TOPIC_CONFIG_BY_NAME.get(name)?.effect === 'no-effect',
  );
  if (names.length === 0) return;
  context.broker.logger.info(
    'kafka.config.no-effect',
    'configurations were accepted that have no effect here (docs/protocols/kafka.md)',
    { topic, names },
  );
}
