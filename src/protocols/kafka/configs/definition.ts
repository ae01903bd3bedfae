/**
 * What a configuration key of the Kafka world does here:
 * `honoured`  the broker does what the key says;
 * `partly`    some values work, the documentation says which;
 * `fixed`     shows how the broker works; only the shown value is accepted;
 * `no-effect` accepted, kept and shown so that tools and scripts work, but nothing depends on it.
 */
export type ConfigEffect = 'honoured' | 'partly' | 'fixed' | 'no-effect';

export type ConfigType =
  'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';

/** What values a key takes beyond its type; null: any. */
export type ConfigRule =
  | { readonly min: number; readonly max?: number; readonly orElse?: number }
  | { readonly oneOf: readonly string[] }
  | { readonly someOf: readonly string[] };

export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigType;
  /** Text form; null: not set. */
  readonly defaultValue: string | null;
  readonly effect: ConfigEffect;
  /** One or two sentences for people. */
  readonly doc: string;
  readonly rule: ConfigRule | null;
}

/** INT and LONG bounds of the protocol's types. */
const INT_MAX = 2_147_483_647;
const LONG_MAX = 9_223_372_036_854_775_807n;
export const LONG_MAX_TEXT = '9223372036854775807';

/** The type's number in DescribeConfigs (source: DescribeConfigsResponse.ConfigType). */
export const CONFIG_TYPE_CODE: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};

/** Why a value cannot be taken, in words; null when it can. */
export function findConfigDefect(definition: ConfigDefinition, value: string): string | null {
  const text = value.trim();
  const typeDefect = findTypeDefect(definition, text);
  if (typeDefect !== null) {
    return `Invalid value ${value} for configuration ${definition.name}: ${typeDefect}`;
  }
  const rule = definition.rule;
  if (rule === null) return null;
  const ruleDefect = findRuleDefect(rule, text);
  if (ruleDefect === null) return null;
  return `Invalid value ${value} for configuration ${definition.name}: ${ruleDefect}`;
}

function findTypeDefect(definition: ConfigDefinition, text: string): string | null {
  switch (definition.type) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? null : 'Expected value to be either true or false';
    case 'int':
      return isIntegerWithin(text, BigInt(INT_MAX)) ? null : 'Not a number of type INT';
    case 'short':
      return isIntegerWithin(text, 32_767n) ? null : 'Not a number of type SHORT';
    case 'long':
      return isIntegerWithin(text, LONG_MAX) ? null : 'Not a number of type LONG';
    case 'double':
      return text !== '' && Number.isFinite(Number(text)) ? null : 'Not a number of type DOUBLE';
    default:
      return null; // text of any kind
  }
}

function isIntegerWithin(text: string, max: bigint): boolean {
  if (!/^[+-]?\d{1,19}$/.test(text)) return false;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value <= max && value >= -max - 1n;
}

function findRuleDefect(rule: ConfigRule, text: string): string | null {
  if ('oneOf' in rule) {
    if (rule.oneOf.includes(text)) return null;
    return `String must be one of: ${rule.oneOf.join(', ')}`;
  }
  if ('someOf' in rule) {
    const items = splitList(text);
    if (items.every((item) => rule.someOf.includes(item))) return null;
    return `Values must be some of: ${rule.someOf.join(', ')}`;
  }
  const value = Number(text);
  if (rule.orElse !== undefined && value === rule.orElse) return null;
  if (value < rule.min) return `Value must be at least ${rule.min}`;
  if (rule.max !== undefined && value > rule.max) return `Value must be no more than ${rule.max}`;
  return null;
}

/** The items of a comma-separated value, without blanks. */
export function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Name -> definition, for tables that are written as arrays. */
export function indexByName(
  definitions: readonly ConfigDefinition[],
): ReadonlyMap<string, ConfigDefinition> {
  return new Map(definitions.map((definition) => [definition.name, definition]));
}
