import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ARGUMENT_TYPES = [
  'bit',
  'octet',
  'short',
  'long',
  'longlong',
  'timestamp',
  'shortstr',
  'longstr',
  'longtext',
  'table',
] as const;

export type ArgumentType = (typeof ARGUMENT_TYPES)[number];

export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
  /** Skipped when read, written as zero or empty, not in the generated type. */
  readonly reserved: boolean;
  readonly remark: string;
}

export interface Method {
  readonly id: number;
  readonly name: string;
  readonly from: 'client' | 'server' | 'both';
  readonly content: boolean;
  readonly about: readonly string[];
  readonly arguments: readonly Argument[];
}

export interface ClassDefinition {
  readonly file: string;
  readonly id: number;
  readonly name: string;
  readonly about: readonly string[];
  readonly properties: readonly Argument[];
  readonly methods: readonly Method[];
}

export interface ReplyCode {
  readonly name: string;
  readonly code: number;
  readonly scope: 'none' | 'soft' | 'hard';
}

export function loadClasses(folder: string): ClassDefinition[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.class'))
    .sort()
    .map((file) => parseClass(file, readFileSync(join(folder, file), 'utf8')));
}

export function loadReplyCodes(folder: string): ReplyCode[] {
  const lines = readFileSync(join(folder, 'reply-codes.list'), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const match = /^([A-Z_]+) +(\d{3})(?: +(soft|hard))?$/.exec(line);
      if (match === null) throw new Error(`reply-codes.list: ${line}`);
      const scope = (match[3] ?? 'none') as ReplyCode['scope'];
      return { name: match[1] ?? '', code: Number(match[2]), scope };
    });
}

/** A class file is read line by line; remarks belong to what follows them. */
function parseClass(file: string, text: string): ClassDefinition {
  const methods: (Method & { arguments: Argument[] })[] = [];
  const properties: Argument[] = [];
  let header: { id: number; name: string; about: string[] } | null = null;
  let into: Argument[] | null = null;
  let about: string[] = [];
  text.split('\n').forEach((line, index) => {
    const refuse = (): never => {
      throw new Error(`${file}:${index + 1}: ${line}`);
    };
    if (line === '') return;
    if (line.startsWith('# ')) {
      about.push(line.slice(2));
      return;
    }
    const classLine = /^class (\d+) (\w+)$/.exec(line);
    const methodLine = /^(\w+) (\d+) from (client|server|both)( content)?$/.exec(line);
    if (classLine !== null) {
      header = { id: Number(classLine[1]), name: classLine[2] ?? '', about };
    } else if (line === 'properties') {
      into = properties;
    } else if (methodLine !== null) {
      into = [];
      methods.push({
        id: Number(methodLine[2]),
        name: methodLine[1] ?? '',
        from: methodLine[3] as Method['from'],
        content: methodLine[4] !== undefined,
        about,
        arguments: into,
      });
    } else {
      (into ?? refuse()).push(parseArgument(line) ?? refuse());
    }
    about = [];
  });
  if (header === null) throw new Error(`${file}: no class line`);
  return {
    ...(header as { id: number; name: string; about: string[] }),
    file,
    properties,
    methods,
  };
}

function parseArgument(line: string): Argument | null {
  const match = /^ {2}(\w+) +(\w+)( +reserved)?(?: +# (.+))?$/.exec(line);
  const type = ARGUMENT_TYPES.find((known) => known === match?.[2]);
  if (match === null || type === undefined) return null;
  return { name: match[1] ?? '', type, reserved: match[3] !== undefined, remark: match[4] ?? '' };
}
