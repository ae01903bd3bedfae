import { readFileSync } from 'node:fs';
import { TomlError, parse as parseToml } from 'smol-toml';

export type LayerName = 'default' | 'file' | 'environment' | 'flag';

/** Where a value came from. source: the file, the variable, or the flag; null for defaults. */
export interface Origin {
  readonly layer: LayerName;
  readonly source: string | null;
}

/** One value of one layer, not checked yet. */
export interface Assignment {
  /** Dotted path as written. */
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
}

export interface LayerProblem {
  readonly key: string;
  readonly message: string;
  readonly origin: Origin;
}

export interface Layer {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly LayerProblem[];
}

const PREFIX = 'LYREBIRD_';

/** Variables that are not keys of the configuration: the file itself, and the command line's default server. */
export const OTHER_VARIABLES: readonly string[] = ['LYREBIRD_CONFIG', 'LYREBIRD_SERVER'];

export function environmentName(key: string): string {
  return PREFIX + key.replaceAll('.', '__').toUpperCase();
}

export function readEnvironmentLayer(
  environment: Readonly<Record<string, string | undefined>>,
): Layer {
  const assignments: Assignment[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || OTHER_VARIABLES.includes(name) || value === undefined) continue;
    const key = name.slice(PREFIX.length).toLowerCase().replaceAll('__', '.');
    assignments.push({ key, value, origin: { layer: 'environment', source: name } });
  }
  return { assignments, problems: [] };
}

/** A TOML file; tables become dotted keys as long as the path names a section. */
export function readFileLayer(path: string, isSection: (key: string) => boolean): Layer {
  const origin: Origin = { layer: 'file', source: path };
  let root: Record<string, unknown>;
  try {
    root = parseToml(readFileSync(path, 'utf8'));
  } catch (error) {
    return { assignments: [], problems: [{ key: '', message: describeFileError(error), origin }] };
  }
  const assignments: Assignment[] = [];
  const problems: LayerProblem[] = [];
  const walk = (table: Record<string, unknown>, prefix: string): void => {
    for (const [name, value] of Object.entries(table)) {
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (!isSection(key)) assignments.push({ key, value, origin });
      else if (isTable(value)) walk(value, key);
      else
        problems.push({ key, message: 'is a table: write its keys below [' + key + ']', origin });
    }
  };
  walk(root, '');
  return { assignments, problems };
}

function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function describeFileError(error: unknown): string {
  if (error instanceof TomlError) {
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    return `line ${error.line}, column ${error.column}: ${reason}`;
  }
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' ? 'there is no such file' : `cannot be read: ${code ?? String(error)}`;
}
