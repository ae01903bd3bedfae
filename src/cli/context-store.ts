import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suggest } from '../config/suggest.ts';
import { CommandError, EXIT } from './exit-codes.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How one broker, or one cluster, is reached. */
export interface Context {
  /** Admin address. */
  readonly server?: string;
  /** `host:port`, or several with commas; with a scheme in front for that protocol alone. */
  readonly broker?: string;
  readonly user?: string;
  /** Path of a file: the password itself is not stored. */
  readonly passwordFile?: string;
  readonly tls?: boolean;
  /** Paths of PEM files. */
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
}

export interface StoredContexts {
  readonly current: string | null;
  /** The one before, for `use -`. */
  readonly previous: string | null;
  readonly contexts: Readonly<Record<string, Context>>;
}

const NOTHING: StoredContexts = { current: null, previous: null, contexts: {} };

/** Where contexts are kept (https://specifications.freedesktop.org/basedir-spec), or null without a home. */
export function contextFile(environment: Environment): string | null {
  const base = environment['XDG_CONFIG_HOME'] ?? '';
  if (base.startsWith('/')) return join(base, 'lyrebird', 'contexts.json');
  const home = environment['HOME'] ?? environment['USERPROFILE'] ?? '';
  return home === '' ? null : join(home, '.config', 'lyrebird', 'contexts.json');
}

export function readContexts(environment: Environment): StoredContexts {
  const file = contextFile(environment);
  if (file === null) return NOTHING;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return NOTHING;
    throw new CommandError(EXIT.failure, `cannot read ${file}: ${code}`, { cause });
  }
  try {
    return { ...NOTHING, ...(JSON.parse(text) as Partial<StoredContexts>) };
  } catch (cause) {
    throw new CommandError(EXIT.failure, `${file} is not JSON`, {
      hint: 'repair it, or delete it and add the contexts again',
      cause,
    });
  }
}

/** Written whole beside and renamed; readable by its owner alone. */
export function writeContexts(environment: Environment, stored: StoredContexts): void {
  const file = contextFile(environment);
  if (file === null) {
    throw new CommandError(EXIT.failure, 'there is no folder for contexts', {
      hint: 'set HOME or XDG_CONFIG_HOME',
    });
  }
  const fresh = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(fresh, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600 });
    chmodSync(fresh, 0o600); // a file that was there keeps its mode otherwise
    renameSync(fresh, file);
  } catch (cause) {
    throw new CommandError(EXIT.failure, `cannot write ${file}`, { cause });
  }
}

/** The context of that name, that LYREBIRD_CONTEXT names, or that is in use; null when there is none. */
export function findContext(environment: Environment, name: string | undefined): Context | null {
  const stored = readContexts(environment);
  const fromEnvironment = environment['LYREBIRD_CONTEXT'] ?? '';
  const wanted = name ?? (fromEnvironment === '' ? stored.current : fromEnvironment);
  return wanted === null ? null : namedContext(stored, wanted);
}

export function namedContext({ contexts }: StoredContexts, name: string): Context {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const meant = suggest(name, Object.keys(contexts));
  throw new CommandError(EXIT.notFound, `there is no context ${name}`, {
    hint: meant === null ? 'lyrebird context list shows what exists' : `did you mean ${meant}?`,
  });
}
