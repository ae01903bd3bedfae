import { CTL_EXIT, CtlError } from './verb.ts';

/** Options of all verbs; each verb looks at those it knows. */
export interface CtlOptions {
  readonly vhost: string;
  readonly quiet: boolean;
  readonly silent: boolean;
  readonly headers: boolean;
  readonly formatter: 'table' | 'json' | 'csv';
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
}

export interface ParsedArguments {
  readonly verb: string | null;
  readonly args: readonly string[];
  readonly options: CtlOptions;
}

const SHORT: Readonly<Record<string, string>> = {
  n: 'node',
  p: 'vhost',
  q: 'quiet',
  s: 'silent',
  t: 'timeout',
  l: 'longnames',
  h: 'help',
  e: 'if-empty',
  u: 'if-unused',
};

const WITH_VALUE = new Set([
  'node',
  'vhost',
  'timeout',
  'formatter',
  'printer',
  'script-name',
  'priority',
  'apply-to',
  'tags',
  'description',
  'default-queue-type',
  'format',
  'global',
  'per-connection-delay',
  'limit',
  'erlang-cookie',
]);
/** These take a value only when they say so with an equals sign. */
const MAYBE_FLAG = new Set(['global', 'limit']);

const FLAGS = new Set([
  'quiet',
  'silent',
  'longnames',
  'help',
  'dry-run',
  'no-table-headers',
  'table-headers',
  'online',
  'offline',
  'local',
  'verbose',
  'if-empty',
  'if-unused',
  'unsafe',
  'skip-if-exists',
  'pre-hashed-password',
  'all',
]);

/** Options may stand anywhere; what follows `--` is taken as it is, and so are negative numbers. */
export function parseArguments(given: readonly string[]): ParsedArguments {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const rest: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const word = given[i] ?? '';
    if (word === '--') {
      rest.push(...given.slice(i + 1));
      break;
    }
    const option = optionName(word);
    if (option === null) {
      rest.push(word);
      continue;
    }
    const { name, value } = option;
    if (value !== null) values.set(name, value);
    else if (FLAGS.has(name) || MAYBE_FLAG.has(name)) flags.add(name);
    else if (WITH_VALUE.has(name)) values.set(name, given[++i] ?? '');
    else throw new CtlError(CTL_EXIT.usage, `Invalid options for this command: ${word}`);
  }
  const [verb = null, ...args] = rest;
  return { verb, args, options: optionsOf(values, flags) };
}

function optionName(word: string): { readonly name: string; readonly value: string | null } | null {
  if (!word.startsWith('-') || word === '-' || /^-\d/.test(word)) return null;
  if (!word.startsWith('--')) {
    const name = SHORT[word.slice(1)];
    return name === undefined ? null : { name, value: null };
  }
  const equals = word.indexOf('=');
  const value = equals < 0 ? null : word.slice(equals + 1);
  return { name: word.slice(2, equals < 0 ? undefined : equals), value };
}

function optionsOf(values: ReadonlyMap<string, string>, flags: ReadonlySet<string>): CtlOptions {
  const formatter = values.get('formatter') ?? 'table';
  if (!['table', 'pretty_table', 'json', 'csv', 'string', 'erlang'].includes(formatter)) {
    throw new CtlError(CTL_EXIT.usage, `Requested formatter "${formatter}" is not available`);
  }
  const isSilent = flags.has('silent');
  return {
    vhost: values.get('vhost') ?? '/',
    quiet: flags.has('quiet') || isSilent,
    silent: isSilent,
    headers: !isSilent && !flags.has('no-table-headers'),
    formatter: formatter === 'json' || formatter === 'csv' ? formatter : 'table',
    values,
    flags,
  };
}
