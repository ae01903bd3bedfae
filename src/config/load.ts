import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { LyrebirdError } from '../base/errors.ts';
import { interpolate, type InterpolationContext } from './interpolate.ts';
import {
  environmentName,
  readEnvironmentLayer,
  readFileLayer,
  type Assignment,
  type LayerProblem,
  type Origin,
} from './layers.ts';
import { nameListeners, type ListenerConfig } from './listeners.ts';
import { configSchema, listSections, listSettings, type ParsedConfig } from './schema.ts';
import { suggest } from './suggest.ts';

type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** The checked configuration. Sizes in bytes, times in ms, absent limits Infinity. */
export type Config = Frozen<Omit<ParsedConfig, 'listeners'> & { listeners: ListenerConfig[] }>;

export interface ConfigSources {
  /** Path of the TOML file, or null. */
  readonly file: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** From `--set` and other flags, the later one wins. */
  readonly flags: readonly {
    readonly key: string;
    readonly value: unknown;
    readonly flag: string;
  }[];
}

/** One key as it was given, for people: references to secrets are not resolved. */
export interface ConfigValue {
  readonly key: string;
  readonly text: string;
  readonly origin: Origin;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly values: readonly ConfigValue[];
  readonly sources: ConfigSources;
}

/** What is wrong with one key, in one sentence without its key. */
export interface ConfigProblem {
  readonly key: string;
  readonly message: string;
  readonly origin: Origin | null;
}

const DEFAULT_ORIGIN: Origin = { layer: 'default', source: null };

/** Reads all layers and checks them. Throws LB1001 with every problem in details.problems. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const assigned = collect(sources, problems);
  const context: InterpolationContext = {
    environment: sources.environment,
    folder: sources.file === null ? process.cwd() : dirname(resolve(sources.file)),
  };
  const raw: Record<string, unknown> = {};
  for (const { key, value, origin } of assigned.values()) {
    place(
      raw,
      key,
      resolveReferences(value, context, (message) => problems.push({ key, message, origin })),
    );
  }
  const config = problems.length === 0 ? parse(raw, assigned, problems) : null;
  if (config === null) throw configError(problems);
  return { config, values: describeValues(assigned), sources };
}

/** The value that wins for every known key; unknown keys become problems. */
function collect(sources: ConfigSources, problems: ConfigProblem[]): Map<string, Assignment> {
  const sections = new Set(listSections().map((section) => section.name));
  const known = new Set(listSettings().map((setting) => setting.key));
  const assigned = new Map<string, Assignment>();
  const layers = [
    sources.file === null ? null : readFileLayer(sources.file, (key) => sections.has(key)),
    readEnvironmentLayer(sources.environment),
    {
      assignments: sources.flags.map(({ key, value, flag }) => ({
        key,
        value,
        origin: { layer: 'flag' as const, source: flag },
      })),
      problems: [] as LayerProblem[],
    },
  ];
  for (const layer of layers) {
    if (layer === null) continue;
    problems.push(...layer.problems);
    for (const assignment of layer.assignments) {
      if (known.has(assignment.key)) assigned.set(assignment.key, assignment);
      else problems.push(unknownKey(assignment));
    }
  }
  return assigned;
}

function unknownKey({ key, origin }: Assignment): ConfigProblem {
  const meant = suggestKey(key);
  if (meant === null)
    return { key, origin, message: 'is not a key; lyrebird config reference lists all' };
  const spelled = origin.layer === 'environment' ? environmentName(meant) : meant;
  return { key, origin, message: `is not a key; did you mean ${spelled}?` };
}

/** The key that an unknown one most likely meant: Kafka's own name for it, a near one, or the same word elsewhere. */
export function suggestKey(key: string): string | null {
  const settings = listSettings();
  const wanted = key.toLowerCase();
  const alike = settings.find(
    (setting) => setting.like === wanted || `kafka.${setting.like}` === wanted,
  );
  if (alike !== undefined) return alike.key;
  const lastWord = wanted.slice(wanted.lastIndexOf('.') + 1);
  const sameWord = settings.filter((setting) => setting.key.endsWith(`.${lastWord}`));
  if (sameWord.length === 1) return sameWord[0]?.key ?? null;
  return suggest(
    wanted,
    settings.map((setting) => setting.key),
  );
}

function place(raw: Record<string, unknown>, key: string, value: unknown): void {
  const dot = key.indexOf('.');
  if (dot < 0) {
    raw[key] = value;
    return;
  }
  const section = key.slice(0, dot);
  const table = (raw[section] ??= {}) as Record<string, unknown>;
  table[key.slice(dot + 1)] = value;
}

function resolveReferences(
  value: unknown,
  context: InterpolationContext,
  report: (message: string) => void,
): unknown {
  if (typeof value === 'string') {
    const result = interpolate(value, context);
    if ('text' in result) return result.text;
    report(result.problem);
    return '';
  }
  if (Array.isArray(value)) return value.map((item) => resolveReferences(item, context, report));
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const entries = Object.entries(value).map(([name, item]) => [
      name,
      resolveReferences(item, context, report),
    ]);
    return Object.fromEntries(entries);
  }
  return value;
}

function parse(
  raw: unknown,
  assigned: ReadonlyMap<string, Assignment>,
  problems: ConfigProblem[],
): Config | null {
  const result = configSchema.safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues) problems.push(describeIssue(issue, assigned));
    return null;
  }
  const parsed = result.data;
  const listeners = nameListeners(parsed.listeners);
  if (typeof listeners === 'string') {
    const origin = assigned.get('listeners')?.origin ?? null;
    problems.push({ key: 'listeners', message: listeners, origin });
    return null;
  }
  problems.push(...findContradictions(parsed));
  return problems.length === 0 ? deepFreeze({ ...parsed, listeners }) : null;
}

function describeIssue(
  issue: z.core.$ZodIssue,
  assigned: ReadonlyMap<string, Assignment>,
): ConfigProblem {
  const path = issue.path.map(String);
  const depth = assigned.has(path[0] ?? '') ? 1 : 2;
  const key = path.slice(0, depth).join('.');
  const inside = path.slice(depth).join('.');
  const unknown =
    issue.code === 'unrecognized_keys' ? `unknown key ${issue.keys.join(', ')}` : null;
  return {
    key: inside === '' ? key : `${key}.${inside}`,
    message: unknown ?? issue.message,
    origin: assigned.get(key)?.origin ?? null,
  };
}

/** Pairs of values that are each allowed and cannot both hold. */
function findContradictions(config: ParsedConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const check = (ok: boolean, key: string, message: string): void => {
    if (!ok) problems.push({ key, message, origin: null });
  };
  const { groups, limits, storage } = config;
  check(
    groups.session_timeout_min <= groups.session_timeout_max,
    'groups.session_timeout_min',
    'is above groups.session_timeout_max',
  );
  check(
    limits.output_high_bytes <= limits.output_bytes_max,
    'limits.output_high_bytes',
    'is above limits.output_bytes_max',
  );
  const ladder = ['disk_warn', 'disk_shrink', 'disk_alarm', 'disk_blocked'] as const;
  for (let step = 1; step < ladder.length; step++) {
    const [lower, upper] = [ladder[step - 1] ?? 'disk_warn', ladder[step] ?? 'disk_blocked'];
    check(storage[lower] <= storage[upper], `storage.${lower}`, `is above storage.${upper}`);
  }
  return problems;
}

/** One line for people: the first problem wholly, and how many more there are. */
function configError(problems: readonly ConfigProblem[]): LyrebirdError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more problems)` : '';
  const message = first === undefined ? 'configuration is invalid' : formatProblem(first) + more;
  return new LyrebirdError('LB1001', message, { details: { problems } });
}

export function formatProblem({ key, message, origin }: ConfigProblem): string {
  const where = origin?.source === undefined || origin.source === null ? '' : `${origin.source}: `;
  return `${where}${key === '' ? '' : `${key}: `}${message}`;
}

function describeValues(assigned: ReadonlyMap<string, Assignment>): ConfigValue[] {
  return listSettings().map(({ key, default: fallback }) => {
    const assignment = assigned.get(key);
    if (assignment === undefined) return { key, text: fallback ?? '', origin: DEFAULT_ORIGIN };
    return { key, text: showValue(assignment.value), origin: assignment.origin };
  });
}

function showValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(showValue).join(',');
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function deepFreeze<T>(value: T): Frozen<T> {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value as Frozen<T>;
}
