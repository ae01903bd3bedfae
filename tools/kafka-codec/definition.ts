import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/*
 * Reads the message definitions of schemas/kafka. Their form is described in schemas/kafka/README.md:
 *
 *   # What it is for.
 *   api 1 Fetch  versions 4-18  flexible 12+
 *
 *   request
 *     clusterId      string?    12+ tag 0 = null
 *     topics         [Topic]                        # a comment
 *       topic        string     4-12
 */

/** Versions from..to, both included; from > to is none. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const SCALARS = [
  'bool',
  'int8',
  'int16',
  'uint16',
  'int32',
  'int64',
  'float64',
  'uuid',
  'string',
  'bytes',
  'records',
] as const;
export type Scalar = (typeof SCALARS)[number];

export interface Field {
  readonly name: string;
  /** What the field, or each element of an array, is. */
  readonly type: Scalar | Struct;
  readonly array: boolean;
  readonly versions: Range;
  readonly nullable: Range;
  readonly tag: number | null;
  readonly inflexible: boolean;
  /** null: the type's own (0, false, empty). */
  readonly defaultText: string | null;
  readonly about: string | null;
}

export interface Struct {
  readonly name: string;
  readonly fields: Field[];
  /** Path of the field it was defined at; the struct's own name when several fields use it. */
  path: string;
  /** Versions in which some field holds it. */
  versions: Range;
}

export interface Message {
  /** `FetchRequest`, `ConsumerProtocolAssignment`. */
  readonly name: string;
  readonly role: 'request' | 'response' | 'data';
  readonly versions: Range;
  readonly flexible: Range;
  readonly root: Struct;
  /** All but the root, in the order of their definition. */
  readonly structs: Struct[];
}

export interface Definition {
  /** File name without extension or leading number: `fetch`. */
  readonly id: string;
  readonly file: string;
  readonly api: { readonly key: number; readonly name: string } | null;
  readonly about: readonly string[];
  readonly versions: Range;
  readonly flexible: Range;
  readonly messages: Message[];
}

export const NONE: Range = { from: 1, to: 0 };

export const isNone = (range: Range): boolean => range.from > range.to;

export function intersect(a: Range, b: Range): Range {
  const range = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
  return isNone(range) ? NONE : range;
}

export const covers = (outer: Range, inner: Range): boolean =>
  isNone(inner) || (outer.from <= inner.from && outer.to >= inner.to);

function hull(a: Range, b: Range): Range {
  if (isNone(a)) return b;
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** All definitions of a folder, in the order of their file names. */
export function loadDefinitions(folder: string): Definition[] {
  const definitions = readdirSync(folder)
    .filter((name) => name.endsWith('.api'))
    .sort()
    .map((name) => parseDefinition(name, readFileSync(join(folder, name), 'utf8')));
  const files = new Map<number, string>();
  for (const { api, file } of definitions) {
    if (api === null) continue;
    const other = files.get(api.key);
    if (other !== undefined) throw new Error(`${file}: key ${api.key} is that of ${other}`);
    files.set(api.key, file);
  }
  return definitions;
}

export function parseDefinition(file: string, text: string): Definition {
  return new Parser(file, text).parse();
}

const HEADER =
  /^(?:api (?<key>\d+) (?<api>\w+)|data (?<data>\w+)) {2}versions (?<versions>\S+) {2}flexible (?<flexible>\S+)$/;
const FIELD =
  /^(?<indent> +)(?<name>[a-z]\w*) +(?<open>\[?)(?<type>\w+)(?<close>\]?)(?<nullable>\?\S*)?(?<rest>(?: +[^#]*)?)(?:# (?<about>.*))?$/;
const MODIFIERS =
  /^(?:(?<versions>\d+(?:\+|-\d+)?))?\s*(?:tag (?<tag>\d+))?\s*(?<inflexible>inflexible)?\s*(?:= (?<value>\S+))?$/;

class Parser {
  private readonly file: string;
  private readonly lines: readonly string[];
  private readonly about: string[] = [];
  private readonly messages: Message[] = [];
  private line = 0;
  private api: Definition['api'] = null;
  private versions: Range = NONE;
  private flexible: Range = NONE;

  constructor(file: string, text: string) {
    this.file = file;
    this.lines = text.split('\n');
  }

  parse(): Definition {
    while (this.line < this.lines.length) {
      const line = this.current();
      if (line === '') this.line++;
      else if (line.startsWith('# ')) this.comment(line);
      else if (line === 'request' || line === 'response') this.message(line);
      else this.header(line);
    }
    return {
      id: basename(this.file, '.api').replace(/^\d+-/, ''),
      file: this.file,
      api: this.api,
      about: this.about,
      versions: this.versions,
      flexible: this.flexible,
      messages: this.messages,
    };
  }

  private current(): string {
    return (this.lines[this.line] ?? '').trimEnd();
  }

  private fail(problem: string): never {
    throw new Error(`${this.file}:${this.line + 1}: ${problem}`);
  }

  private comment(line: string): void {
    this.about.push(line.slice(2));
    this.line++;
  }

  private header(line: string): void {
    const parts =
      HEADER.exec(line)?.groups ?? this.fail('expected "api", "data", "request" or "response"');
    this.versions = this.range(parts['versions'] ?? '', { from: 0, to: Infinity });
    this.flexible =
      parts['flexible'] === 'never' ? NONE : this.range(parts['flexible'] ?? '', this.versions);
    if (parts['data'] !== undefined) {
      this.message('data', parts['data']);
      return;
    }
    this.api = { key: Number(parts['key']), name: parts['api'] ?? '' };
    this.line++;
  }

  private message(role: Message['role'], dataName = ''): void {
    const suffix = { request: 'Request', response: 'Response', data: '' }[role];
    const name = role === 'data' ? dataName : `${this.api?.name ?? this.fail('no api')}${suffix}`;
    const root: Struct = { name: '', fields: [], path: '', versions: this.versions };
    const message: Message = {
      name,
      role,
      versions: this.versions,
      flexible: this.flexible,
      root,
      structs: [],
    };
    this.line++;
    this.fields(message, root, 2, this.versions);
    this.messages.push(message);
  }

  /** Reads the fields of one struct: the lines indented by exactly `indent`, and what is nested below them. */
  private fields(message: Message, struct: Struct, indent: number, context: Range): void {
    while (this.line < this.lines.length && this.current() !== '') {
      const parts = FIELD.exec(this.current())?.groups ?? this.fail('not a field');
      const depth = (parts['indent'] ?? '').length;
      if (depth < indent) return;
      if (depth > indent) this.fail(`indented by ${depth}, not ${indent}`);
      const text = (parts['rest'] ?? '').trim();
      const rest = MODIFIERS.exec(text)?.groups ?? this.fail(`not understood: ${text}`);
      const name = parts['name'] ?? '';
      const versions = this.range(rest['versions'] ?? '', context);
      if (struct.fields.some((field) => field.name === name)) this.fail(`${name} is there twice`);
      if (rest['tag'] !== undefined && isNone(intersect(versions, message.flexible))) {
        this.fail(`${name} has a tag in versions without tags`);
      }
      const path = struct.path === '' ? name : `${struct.path}.${name}`;
      this.line++;
      const type = this.type(message, parts['type'] ?? '', { indent, versions, path });
      const nullable = parts['nullable'];
      struct.fields.push({
        name,
        type,
        array: parts['open'] === '[',
        versions,
        nullable:
          nullable === undefined
            ? NONE
            : intersect(this.range(nullable.slice(1), versions), versions),
        tag: rest['tag'] === undefined ? null : Number(rest['tag']),
        inflexible: rest['inflexible'] !== undefined,
        defaultText: rest['value'] ?? null,
        about: parts['about'] ?? null,
      });
    }
  }

  private type(
    message: Message,
    name: string,
    at: { indent: number; versions: Range; path: string },
  ): Scalar | Struct {
    const scalar = SCALARS.find((known) => known === name);
    if (scalar !== undefined) return scalar;
    const nested = /^ */.exec(this.current())?.[0].length ?? 0;
    const known = message.structs.find((struct) => struct.name === name);
    if (known !== undefined) {
      if (nested > at.indent && this.current() !== '') this.fail(`${name} is defined twice`);
      known.versions = hull(known.versions, at.versions);
      known.path = known.name;
      return known;
    }
    if (nested <= at.indent || this.current() === '') this.fail(`${name} is not defined`);
    const struct: Struct = { name, fields: [], path: at.path, versions: at.versions };
    message.structs.push(struct);
    this.fields(message, struct, at.indent + 2, message.versions);
    return struct;
  }

  /** `3`, `3+` (to the end of the context), `0-12`; empty means the whole context. */
  private range(text: string, context: Range): Range {
    if (text === '') return context;
    const parts = /^(\d+)(\+|-(\d+))?$/.exec(text) ?? this.fail(`not a version range: ${text}`);
    const from = Number(parts[1]);
    if (parts[2] === '+') return { from, to: context.to };
    return { from, to: parts[3] === undefined ? from : Number(parts[3]) };
  }
}
