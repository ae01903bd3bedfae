import type { CtlOptions } from './arguments.ts';
import type { CtlReply } from './verb.ts';

/** What a verb printed, as text. */
export function formatReply(reply: CtlReply, options: CtlOptions): string {
  const isJson = options.formatter === 'json';
  const banner = reply.banner !== null && !options.quiet && !isJson ? [reply.banner] : [];
  if (reply.kind === 'lines') return joined([...banner, ...reply.lines]);
  const { columns, rows } = reply;
  switch (options.formatter) {
    case 'json': {
      const objects = rows.map((row) =>
        JSON.stringify(Object.fromEntries(columns.map((name) => [name, jsonValue(row[name])]))),
      );
      return `[\n${objects.join('\n,')}${objects.length > 0 ? '\n' : ''}]\n`;
    }
    case 'csv': {
      const table = rows.map((row) => columns.map((name) => csvCell(row[name])).join(','));
      return joined([...(options.headers ? [columns.join(',')] : []), ...table]);
    }
    case 'table': {
      const table = rows.map((row) => columns.map((name) => cell(row[name])).join('\t'));
      // RabbitMQ leaves the header out, too, when there is nothing below it.
      const header = options.headers && rows.length > 0 ? [columns.join('\t')] : [];
      return joined([...banner, ...header, ...table]);
    }
    default:
      return options.formatter satisfies never;
  }
}

function joined(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

/** Text that is shown as Erlang writes a list of atoms: tags. */
export class Atoms {
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names;
  }
}

/** JSON that is shown as such, and not as a term. */
export class JsonText {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Atoms) return value.names;
  if (value instanceof JsonText) return value.value;
  return value ?? '';
}

function csvCell(value: unknown): string {
  const text = cell(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A value at the outermost level: text is not quoted there. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Atoms) return `[${value.names.join(', ')}]`;
  if (value instanceof JsonText) return JSON.stringify(value.value);
  return typeof value === 'string' ? escaped(value) : term(value);
}

/** Tabs and line breaks in names would break the table. */
function escaped(text: string): string {
  return text.replace(/[\t\n\r\\]/g, (char) => ESCAPES[char] ?? char);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\\': '\\\\',
};

/** A value as RabbitMQ's tools write Erlang terms: [{"x-priority",5}]. */
export function term(value: unknown): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, (char) => `\\${char}`)}"`;
  if (Array.isArray(value)) return `[${value.map(term).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value);
    return `[${fields.map(([name, field]) => `{${term(name)},${term(field)}}`).join(',')}]`;
  }
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
