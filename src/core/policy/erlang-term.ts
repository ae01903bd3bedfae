import type { ArgumentValue } from '../queue-types.ts';

/** A value as RabbitMQ writes it into its messages, which scripts compare. */
export function erlangTerm(value: ArgumentValue): string {
  if (typeof value === 'string') {
    return `<<"${value.replace(/["\\]/g, (char) => `\\${char}`)}">>`;
  }
  if (isList(value)) return `[${value.map(erlangTerm).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value);
    return `[${fields.map(([name, field]) => `{${erlangTerm(name)},${erlangTerm(field)}}`).join(',')}]`;
  }
  return String(value);
}

function isList(value: ArgumentValue): value is readonly ArgumentValue[] {
  return Array.isArray(value);
}
