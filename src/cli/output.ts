import { usageError } from './exit-codes.ts';
import { compileTemplate } from './template.ts';
import type { Terminal } from './terminal.ts';
import { toYaml } from './yaml.ts';

const API_VERSION = 'v1';

/** `template=...` is one more, with its text. */
export const OUTPUT_FORMATS = [
  'table',
  'wide',
  'json',
  'ndjson',
  'yaml',
  'csv',
  'name',
  'template',
] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface OutputOptions {
  readonly output?: string;
  readonly json?: boolean;
}

/** One column of a list. Numbers are aligned to the right. */
export interface Column<Row> {
  readonly title: string;
  value(row: Row): string | number | null;
  /** Left out of a table that is not wide. */
  readonly wide?: true;
  /** For people only; other formats get the value. */
  format?(row: Row): string;
}

export interface Listing<Row> {
  /** Name of the list in JSON, as the admin API has it. */
  readonly name: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** The member that `-o name` prints. */
  readonly key: (row: Row) => string;
  /** Said instead of an empty table. */
  readonly empty: string;
}

export function outputFormat(options: OutputOptions): OutputFormat {
  if (options.json === true) return 'json';
  return parseOutput(options.output ?? 'table').format;
}

/** A value of -o. */
export function parseOutput(text: string): { format: OutputFormat; template: string } {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const format = OUTPUT_FORMATS.find((known) => known === name);
  if (format === undefined || (format === 'template') !== equals >= 0) {
    throw usageError(
      `unknown output format ${text}`,
      `known: ${OUTPUT_FORMATS.join(', ')}='{{name}} ...'`,
    );
  }
  return { format, template: text.slice(equals + 1) };
}

/** True when people read it: commands may then print more than a list. */
export function isForPeople(options: OutputOptions): boolean {
  const format = outputFormat(options);
  return format === 'table' || format === 'wide';
}

/** Prints a list in the wanted format. JSON and YAML have the shape of the admin API, with its version. */
export function printListing<Row extends object>(
  terminal: Terminal,
  options: OutputOptions,
  listing: Listing<Row>,
): void {
  const { rows, columns } = listing;
  const format = outputFormat(options);
  switch (format) {
    case 'json':
      printJson(terminal, { [listing.name]: rows });
      break;
    case 'yaml':
      terminal.out(toYaml({ apiVersion: API_VERSION, [listing.name]: rows }));
      break;
    case 'ndjson':
      for (const row of rows) terminal.out(`${JSON.stringify(row)}\n`);
      break;
    case 'csv':
      terminal.out(csvLine(columns.map((column) => column.title.toLowerCase())));
      for (const row of rows) terminal.out(csvLine(columns.map((column) => column.value(row))));
      break;
    case 'name':
      for (const row of rows) terminal.out(`${listing.key(row)}\n`);
      break;
    case 'template': {
      const render = compileTemplate(parseOutput(options.output ?? '').template);
      for (const row of rows) terminal.out(`${render(row)}\n`);
      break;
    }
    case 'table':
    case 'wide': {
      const shown = columns.filter((column) => format === 'wide' || column.wide !== true);
      if (rows.length === 0) terminal.err(`${listing.empty}\n`);
      else terminal.out(renderTable(shown, rows, terminal.colors));
    }
  }
}

/** Prints one object: as data, or with its own view for people. */
export function printObject(
  terminal: Terminal,
  options: OutputOptions,
  value: object,
  view: () => string,
): void {
  const format = outputFormat(options);
  switch (format) {
    case 'json':
      printJson(terminal, value);
      break;
    case 'yaml':
      terminal.out(toYaml({ apiVersion: API_VERSION, ...value }));
      break;
    case 'ndjson':
      terminal.out(`${JSON.stringify(value)}\n`);
      break;
    case 'template':
      terminal.out(`${compileTemplate(parseOutput(options.output ?? '').template)(value)}\n`);
      break;
    case 'table':
    case 'wide':
      terminal.out(view());
      break;
    case 'csv':
    case 'name':
      throw usageError(
        `this command cannot print ${format}`,
        'use -o table, json, ndjson, yaml or template=...',
      );
  }
}

export function printJson(terminal: Terminal, value: object): void {
  terminal.out(`${JSON.stringify({ apiVersion: API_VERSION, ...value }, null, 2)}\n`);
}

export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  colors = false,
): string {
  const cells = rows.map((row) =>
    columns.map((column) => column.format?.(row) ?? String(column.value(row) ?? '-')),
  );
  const numeric = columns.map((column) =>
    rows.some((row) => typeof column.value(row) === 'number'),
  );
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  );
  const render = (line: readonly string[]): string =>
    line
      .map((cell, index) => {
        const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cell)));
        return numeric[index] === true ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const title = render(columns.map((column) => column.title));
  const header = colors ? `\u001b[1m${title}\u001b[22m` : title;
  return [header, ...cells.map(render)].map((line) => `${line}\n`).join('');
}

/** Facts under each other, the names aligned. */
export function renderFacts(facts: readonly (readonly [string, string | number | null])[]): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${name.padEnd(width)}  ${value ?? '-'}\n`).join('');
}

/** Terminal cells: East Asian wide characters take two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const wide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      (code >= 0x1f300 && code <= 0x1faff);
    width += wide ? 2 : 1;
  }
  return width;
}

function csvLine(cells: readonly (string | number | null)[]): string {
  const quoted = cells.map((cell) => {
    const text = String(cell ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
