import { isNone, type Field, type Message, type Range, type Struct } from './definition.ts';

/** What a message looks like in one version, one line per field in wire order: the common form of a comparison. */
export type WireLines = readonly string[];

/** A message of either source, as far as the wire is concerned. */
export interface WireMessage {
  readonly name: string;
  readonly key: number | null;
  readonly versions: Range;
  readonly flexible: Range;
  lines(version: number): WireLines;
}

/** How one field is told in a line. */
export function wireLine(field: {
  path: string;
  type: string;
  array: boolean;
  nullable: boolean;
  tag: number | null;
  inflexible: boolean;
  defaultText: string;
}): string {
  const parts = [field.path, field.array ? `[${field.type}]` : field.type];
  if (field.nullable) parts.push('nullable');
  if (field.tag !== null) parts.push(`tag ${field.tag}`);
  if (field.inflexible) parts.push('inflexible');
  if (field.defaultText !== '') parts.push(`= ${field.defaultText}`);
  return parts.join(' ');
}

export const within = (range: Range, version: number): boolean =>
  !isNone(range) && version >= range.from && version <= range.to;

/** Our own definition in the common form. */
export function wireMessage(message: Message, key: number | null): WireMessage {
  return {
    name: message.name,
    key,
    versions: message.versions,
    flexible: message.flexible,
    lines: (version) => structLines(message.root, version, ''),
  };
}

function structLines(struct: Struct, version: number, prefix: string): string[] {
  return struct.fields
    .filter((field) => within(field.versions, version))
    .flatMap((field) => fieldLines(field, version, prefix));
}

function fieldLines(field: Field, version: number, prefix: string): string[] {
  const path = `${prefix}${field.name}`;
  const { type } = field;
  const line = wireLine({
    path,
    type: typeof type === 'string' ? type : 'struct',
    array: field.array,
    nullable: within(field.nullable, version),
    tag: field.tag,
    inflexible: field.inflexible,
    defaultText: canonicalDefault(field.defaultText),
  });
  return typeof type === 'string' ? [line] : [line, ...structLines(type, version, `${path}.`)];
}

/** Defaults that say the same are the same text; a type's own default is empty. */
export function canonicalDefault(text: string | null): string {
  if (text === null || text === '""' || text === '' || /^(0|false)$/i.test(text)) return '';
  return /^0x[0-9a-f]+$/i.test(text) ? String(Number(text)) : text.toLowerCase();
}
