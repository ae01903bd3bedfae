import { usageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'ndjson', 'csv', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface OutputOptions {
  readonly output?: string;
  readonly json?: boolean;
}

/** One column of a list. Numbers are aligned to the right. */
export interface Column<Row> {
  readonly title: string;
  value(row: Row): string | number | null;
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
  const wanted = options.output ?? 'table';
  const format = OUTPUT_FORMATS.find((known) => known === wanted);
  if (format === undefined) {
    throw usageError(`unknown output format ${wanted}`, `known: ${OUTPUT_FORMATS.join(', ')}`);
  }
  return format;
}

/** Prints a list in the wanted format. JSON has the shape of the admin API, with its version. */
export function printListing<Row>(
  terminal: Terminal,
  options: OutputOptions,
  listing: Listing<Row>,
): void {
  const { rows, columns } = listing;
  switch (outputFormat(options)) {
    case 'json':
      printJson(terminal, { [listing.name]: rows });
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
    case 'table':
      if (rows.length === 0) terminal.err(`${listing.empty}\n`);
      else terminal.out(renderTable(columns, rows, terminal.colors));
  }
}

/** Prints one object: as JSON, or with its own view for people. */
export function printObject(
  terminal: Terminal,
  options: OutputOptions,
  value: object,
  view: () => string,
): void {
  const format = outputFormat(options);
  if (format === 'json') printJson(terminal, value);
  else if (format === 'ndjson') terminal.out(`${JSON.stringify(value)}\n`);
  else if (format === 'table') terminal.out(view());
  else throw usageError(`this command cannot print ${format}`, 'use -o table, json or ndjson');
}

export function printJson(terminal: Terminal, value: object): void {
  terminal.out(`${JSON.stringify({ apiVersion: 'v1', ...value }, null, 2)}\n`);
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
