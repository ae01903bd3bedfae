import { intersect, isNone, type Field, type Message, type Struct } from './definition.ts';
import { interfaceName } from './names.ts';
import {
  condition,
  defaultValue,
  flexibility,
  isNullable,
  needsVersion,
  presence,
  taggedFields,
} from './shape.ts';

/** One function that writes a struct: straight-line code, a branch per version boundary. */
export function emitWriter(message: Message, struct: Struct): string {
  return new WriterEmitter(message, struct).emit();
}

/** Whether every field of a struct has its default: a tagged struct is then left out. */
export function emitDefaultTest(message: Message, struct: Struct): string {
  const name = interfaceName(message, struct);
  const tests = struct.fields
    .filter((field) => !isNone(presence(struct, field)))
    .map((field) => isDefault(message, struct, field));
  return [
    `function isDefault${name}(value: ${name}): boolean {`,
    `  return ${tests.join(' && ')};`,
    '}',
  ].join('\n');
}

/** Structs held by tagged fields, and what those hold: the ones that need a default test. */
export function structsWithDefaultTest(message: Message): Struct[] {
  const needed = new Set<Struct>();
  const add = (field: Field): void => {
    if (typeof field.type === 'string' || field.array || field.defaultText === 'null') return;
    needed.add(field.type);
    field.type.fields.forEach(add);
  };
  for (const struct of [message.root, ...message.structs]) taggedFields(struct).forEach(add);
  return [...needed];
}

function isDefault(message: Message, struct: Struct, field: Field): string {
  const value = `value.${field.name}`;
  const initial = defaultValue(message, struct, field);
  if (initial === 'null') return `${value} === null`;
  const guard = isNullable(struct, field) ? `${value} !== null && ` : '';
  if (field.array || field.type === 'bytes') return `${guard}${value}.length === 0`;
  if (typeof field.type !== 'string') {
    return `${guard}isDefault${interfaceName(message, field.type)}(${value})`;
  }
  if (field.type === 'uuid') return `isZeroUuid(${value})`;
  if (field.type === 'bool') return initial === 'true' ? value : `!${value}`;
  return `${value} === ${initial}`;
}

/** The opposite of a test made by isDefault. */
function negate(test: string): string {
  if (test.includes('&&')) return `!(${test})`;
  if (test.includes(' === ')) return test.replace(' === ', ' !== ');
  return test.startsWith('!') ? test.slice(1) : `!${test}`;
}

class WriterEmitter {
  private readonly message: Message;
  private readonly struct: Struct;
  private readonly lines: string[] = [];

  constructor(message: Message, struct: Struct) {
    this.message = message;
    this.struct = struct;
  }

  emit(): string {
    const { message, struct } = this;
    const name = interfaceName(message, struct);
    const isRoot = struct === message.root;
    const version = needsVersion(message, struct) ? ', version: number' : '';
    const parameters = `writer: Writer, value: ${name}${version}`;
    this.lines.push(`${isRoot ? 'export ' : ''}function write${name}(${parameters}): void {`);
    if (isRoot) {
      const { from, to } = message.versions;
      this.lines.push(`  writer.begin('${message.name}', version, ${from}, ${to});`);
    }
    if (flexibility(message, struct) === 'flexible') {
      this.lines.push(
        `  const flexible = ${condition(message.flexible, struct.versions) ?? 'true'};`,
      );
    }
    this.fields();
    this.tags();
    this.lines.push('}');
    return this.lines.join('\n');
  }

  /** Neighbours that exist in the same versions share one branch. */
  private fields(): void {
    let open: string | null = null;
    for (const field of this.struct.fields) {
      const versions = presence(this.struct, field);
      if (isNone(versions) || field.tag !== null) continue;
      const when = condition(versions, this.struct.versions);
      if (when !== open) {
        if (open !== null) this.lines.push('  }');
        if (when !== null) this.lines.push(`  if (${when}) {`);
        open = when;
      }
      this.value(field, when === null ? '  ' : '    ');
    }
    if (open !== null) this.lines.push('  }');
  }

  private value(field: Field, indent: string): void {
    const versions = presence(this.struct, field);
    const nullable = isNullable(this.struct, field);
    const whenNullable = nullable ? condition(intersect(field.nullable, versions), versions) : null;
    const value = `value.${field.name}`;
    if (whenNullable !== null) {
      this.lines.push(
        `${indent}if (!(${whenNullable})) writer.required(${value}, ${this.path(field)});`,
      );
    }
    if (field.array) this.array(field, nullable, indent);
    else if (typeof field.type !== 'string' && nullable) this.nullableStruct(field, indent);
    else this.lines.push(`${indent}${this.single(field, value, nullable)};`);
  }

  private array(field: Field, nullable: boolean, indent: string): void {
    const value = `value.${field.name}`;
    const flexible = this.flexible(field);
    const inner = nullable ? `${indent}  ` : indent;
    if (nullable) {
      this.lines.push(
        `${indent}if (${value} === null) {`,
        `${inner}writer.nullArray(${flexible});`,
        `${indent}} else {`,
      );
    }
    this.lines.push(
      `${inner}writer.arrayCount(${flexible}, ${value}.length);`,
      `${inner}for (const element of ${value}) {`,
      `${inner}  ${this.single(field, 'element', false)};`,
      `${inner}}`,
    );
    if (nullable) this.lines.push(`${indent}}`);
  }

  private nullableStruct(field: Field, indent: string): void {
    const value = `value.${field.name}`;
    this.lines.push(
      `${indent}writer.present(${value} !== null);`,
      `${indent}if (${value} !== null) ${this.single(field, value, false)};`,
    );
  }

  /** Writes one value or element. */
  private single(field: Field, value: string, nullable: boolean): string {
    if (typeof field.type !== 'string') {
      const version = needsVersion(this.message, field.type) ? ', version' : '';
      return `write${interfaceName(this.message, field.type)}(writer, ${value}${version})`;
    }
    const flexible = this.flexible(field);
    switch (field.type) {
      case 'string':
        return `writer.${nullable ? 'nullableString' : 'string'}(${flexible}, ${value})`;
      case 'bytes':
        return `writer.${nullable ? 'nullableBytes' : 'bytes'}(${flexible}, ${value})`;
      case 'records': {
        const what = this.message.role === 'request' ? 'Bytes' : 'Records';
        const method = nullable ? `nullable${what}` : what.toLowerCase();
        return `writer.${method}(${flexible}, ${value})`;
      }
      default:
        return `writer.${field.type}(${value})`;
    }
  }

  private tags(): void {
    const flexible = flexibility(this.message, this.struct);
    if (flexible === 'false') return;
    const tagged = taggedFields(this.struct);
    if (tagged.length === 0) {
      this.lines.push(
        flexible === 'true' ? '  writer.uvarint(0);' : '  if (flexible) writer.uvarint(0);',
      );
      return;
    }
    const indent = flexible === 'true' ? '  ' : '    ';
    if (flexible === 'flexible') this.lines.push('  if (flexible) {');
    const context = intersect(this.struct.versions, this.message.flexible);
    for (const field of tagged) {
      const when = condition(intersect(presence(this.struct, field), context), context);
      const test = negate(isDefault(this.message, this.struct, field));
      this.lines.push(
        `${indent}const tag${field.tag} = ${when === null ? test : `${when} && ${test}`};`,
      );
    }
    const count = tagged.map((field) => `(tag${field.tag} ? 1 : 0)`).join(' + ');
    this.lines.push(`${indent}writer.uvarint(${count});`);
    for (const field of tagged) {
      this.lines.push(
        `${indent}if (tag${field.tag}) {`,
        `${indent}  const at = writer.openTag(${field.tag});`,
      );
      this.value(field, `${indent}  `);
      this.lines.push(`${indent}  writer.closeTag(at);`, `${indent}}`);
    }
    if (flexible === 'flexible') this.lines.push('  }');
  }

  private flexible(field: Field): string {
    return field.inflexible ? 'false' : flexibility(this.message, this.struct);
  }

  private path(field: Field): string {
    const { path } = this.struct;
    return `'${path === '' ? field.name : `${path}.${field.name}`}'`;
  }
}
