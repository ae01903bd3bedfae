import { z } from 'zod';
import { isUnlimited, parseBytes, parseDuration, parseRatio } from './units.ts';

export type SettingKind =
  'text' | 'flag' | 'integer' | 'bytes' | 'duration' | 'ratio' | 'choice' | 'list';

/** What is known of one key besides its type: for help, the reference page, and reload. */
export interface SettingMeta {
  readonly kind: SettingKind;
  /** As a person would write it; null when the key has none. */
  readonly default: string | null;
  readonly help: string;
  /** Takes effect at a reload (SIGHUP); the others need a restart. */
  readonly live: boolean;
  readonly choices?: readonly string[];
  /** What the same thing is called in Kafka's server.properties. */
  readonly like?: string;
}

export const settingMeta = z.registry<SettingMeta>();

interface Common {
  readonly help: string;
  readonly live?: boolean;
  readonly like?: string;
}

/** Every value may come from the environment or a flag, so every kind also accepts text. */
function setting<T>(
  options: Common & {
    readonly kind: SettingKind;
    readonly default: string | null;
    readonly choices?: readonly string[];
    readonly expected: string;
    readonly parse: (text: string) => T | null;
  },
) {
  const schema = z
    .union([z.string(), z.number(), z.boolean()], { error: `expected ${options.expected}` })
    .transform((value, context): T => {
      const parsed = options.parse(String(value));
      if (parsed !== null) return parsed;
      context.addIssue({
        code: 'custom',
        message: `expected ${options.expected}, not ${JSON.stringify(value)}`,
      });
      return z.NEVER;
    });
  return schema;
}

/** Adds the default and the facts about the key. */
function describe<T>(
  schema: z.ZodType<T, string | number | boolean>,
  options: Common & {
    readonly kind: SettingKind;
    readonly default: string;
    readonly choices?: readonly string[];
  },
) {
  const described = schema.prefault(options.default).describe(options.help);
  settingMeta.add(described, {
    kind: options.kind,
    default: options.default,
    help: options.help,
    live: options.live ?? false,
    ...(options.choices === undefined ? {} : { choices: options.choices }),
    ...(options.like === undefined ? {} : { like: options.like }),
  });
  return described;
}

function inRange(value: number | null, min: number, max: number): number | null {
  return value !== null && value >= min && value <= max ? value : null;
}

function rangeText(min: number | string, max: number | string): string {
  if (max === Infinity) return min === 0 ? '' : ` of at least ${min}`;
  return ` from ${min} to ${max}`;
}

export function flag(options: Common & { readonly default: boolean }) {
  const all = { ...options, kind: 'flag' as const, default: String(options.default) };
  return describe<boolean>(
    setting({
      ...all,
      expected: 'true or false',
      parse: (text) => (text === 'true' ? true : text === 'false' ? false : null),
    }),
    all,
  );
}

export function integer(
  options: Common & { readonly default: number; readonly min?: number; readonly max?: number },
) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const all = { ...options, kind: 'integer' as const, default: String(options.default) };
  const range = rangeText(min, max === Number.MAX_SAFE_INTEGER ? Infinity : max);
  return describe<number>(
    setting({
      ...all,
      expected: `an integer${range}`,
      parse: (text) => (/^-?\d+$/.test(text.trim()) ? inRange(Number(text), min, max) : null),
    }),
    all,
  );
}

interface Quantity extends Common {
  readonly default: string;
  /** `unlimited` is allowed and becomes Infinity. */
  readonly unlimited?: boolean;
  readonly min?: string;
  readonly max?: string;
}

function quantity(
  options: Quantity & {
    readonly kind: 'bytes' | 'duration';
    readonly noun: string;
    readonly read: (text: string) => number | null;
  },
) {
  const min = options.read(options.min ?? '0') ?? 0;
  const max = options.max === undefined ? Infinity : (options.read(options.max) ?? Infinity);
  const range = rangeText(min === 0 ? 0 : (options.min ?? 0), options.max ?? Infinity);
  const unlimited = options.unlimited === true;
  return describe<number>(
    setting({
      ...options,
      expected: `${options.noun}${range}${unlimited ? ', or unlimited' : ''}`,
      parse: (text) =>
        unlimited && isUnlimited(text) ? Infinity : inRange(options.read(text), min, max),
    }),
    options,
  );
}

/** A size in bytes. */
export function bytes(options: Quantity) {
  return quantity({ ...options, kind: 'bytes', noun: 'a size such as 10MiB', read: parseBytes });
}

/** A duration in milliseconds. */
export function duration(options: Quantity) {
  return quantity({
    ...options,
    kind: 'duration',
    noun: 'a duration such as 30s or 7d',
    read: parseDuration,
  });
}

/** A fraction between 0 and 1. */
export function ratio(options: Common & { readonly default: string }) {
  const all = { ...options, kind: 'ratio' as const };
  return describe<number>(
    setting({ ...all, expected: 'a share such as 75% or 0.75', parse: parseRatio }),
    all,
  );
}

export function text(
  options: Common & { readonly default: string; readonly placeholder?: string },
) {
  const all = { ...options, kind: 'text' as const };
  return describe<string>(setting({ ...all, expected: 'text', parse: (value) => value }), all);
}

export function choice<const C extends readonly string[]>(
  options: Common & { readonly choices: C; readonly default: C[number] },
) {
  const all = { ...options, kind: 'choice' as const };
  return describe<C[number]>(
    setting<C[number]>({
      ...all,
      expected: `one of ${options.choices.join(', ')}`,
      parse: (value) => options.choices.find((known) => known === value) ?? null,
    }),
    all,
  );
}

/** Several values: an array in the file, text with commas elsewhere. */
export function list<T extends z.ZodType>(
  options: Common & { readonly item: T; readonly expected: string; readonly default?: string },
) {
  const split = z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z.array(options.item, { error: `expected ${options.expected}` }),
  );
  const described = split.prefault(options.default ?? []).describe(options.help);
  settingMeta.add(described, {
    kind: 'list',
    default: options.default ?? null,
    help: options.help,
    live: options.live ?? false,
  });
  return described;
}
