import { usageError } from './exit-codes.ts';

/**
 * A function that fills `{{member}}` and `{{member.member}}` of a template in; objects and lists become JSON, null
 * becomes nothing. `\n`, `\t` and `\\` are what they are elsewhere.
 */
export function compileTemplate(text: string): (row: object) => string {
  const parts = text.split(/\{\{\s*\.?([^{}]*?)\s*\}\}/);
  const unescape = (literal: string): string =>
    literal.replace(/\\([nt\\])/g, (_, letter: string) =>
      letter === 'n' ? '\n' : letter === 't' ? '\t' : '\\',
    );
  return (row) =>
    parts
      .map((part, index) => (index % 2 === 0 ? unescape(part) : asText(member(row, part))))
      .join('');
}

function member(row: object, path: string): unknown {
  let value: unknown = row;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      const known = typeof value === 'object' && value !== null ? Object.keys(value) : [];
      throw usageError(
        `-o template: there is no {{${path}}}`,
        known.length === 0 ? null : `known here: ${known.join(', ')}`,
      );
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
