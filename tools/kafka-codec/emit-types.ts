import { type Field, type Message, type Struct, isNone } from './definition.ts';
import { elementType, interfaceName } from './names.ts';
import { condition, defaultValue, isNullable, presence } from './shape.ts';

export function emitInterface(message: Message, struct: Struct): string {
  const lines = [`export interface ${interfaceName(message, struct)} {`];
  for (const field of struct.fields) {
    if (isNone(presence(struct, field))) continue;
    const note = fieldNote(message, field);
    if (note !== '') lines.push(`  /** ${note} */`);
    lines.push(`  ${field.name}: ${fieldType(message, struct, field)};`);
  }
  lines.push('}');
  return lines.join('\n');
}

export function fieldType(message: Message, struct: Struct, field: Field): string {
  const type = elementType(message, field) + (field.array ? '[]' : '');
  return isNullable(struct, field) ? `${type} | null` : type;
}

/** Versions and remark of a field. */
function fieldNote(message: Message, field: Field): string {
  const parts: string[] = [];
  if (condition(field.versions, message.versions) !== null) {
    const { from, to } = field.versions;
    if (to === message.versions.to) parts.push(`v${from}+.`);
    else parts.push(from === to ? `v${from} only.` : `v${from}-${to}.`);
  }
  if (field.about !== null) parts.push(sentence(field.about));
  return parts.join(' ');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** A factory for the defaults of a struct, for the versions and tags that leave it out. */
export function emitFactory(message: Message, struct: Struct): string {
  const name = interfaceName(message, struct);
  const fields = struct.fields.filter((field) => !isNone(presence(struct, field)));
  return [
    `export function create${name}(): ${name} {`,
    '  return {',
    ...fields.map((field) => `    ${field.name}: ${defaultValue(message, struct, field)},`),
    '  };',
    '}',
  ].join('\n');
}

/** Structs that a field holds directly and that can be left out of a message: those that need a factory. */
export function structsWithFactory(message: Message): Struct[] {
  const needed = new Set<Struct>();
  for (const struct of [message.root, ...message.structs]) {
    for (const field of struct.fields) {
      if (typeof field.type === 'string' || field.array || field.defaultText === 'null') continue;
      const always = condition(presence(struct, field), struct.versions) === null;
      if (field.tag !== null || !always) needed.add(field.type);
    }
  }
  return [...needed];
}
