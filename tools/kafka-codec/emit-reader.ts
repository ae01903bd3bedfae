import { intersect, isNone, type Field, type Message, type Struct } from './definition.ts';
import { fieldType } from './emit-types.ts';
import { interfaceName } from './names.ts';
import {
  condition,
  defaultValue,
  elementBytes,
  flexibility,
  isNullable,
  needsVersion,
  presence,
  taggedFields,
} from './shape.ts';

/** One function that reads a struct: straight-line code, a branch per version boundary. */
export function emitReader(message: Message, struct: Struct): string {
  return new ReaderEmitter(message, struct).emit();
}

class ReaderEmitter {
  private readonly message: Message;
  private readonly struct: Struct;
  private readonly fields: readonly Field[];
  private readonly lines: string[] = [];

  constructor(message: Message, struct: Struct) {
    this.message = message;
    this.struct = struct;
    this.fields = struct.fields.filter((field) => !isNone(presence(struct, field)));
  }

  emit(): string {
    const { message, struct } = this;
    const name = interfaceName(message, struct);
    const isRoot = struct === message.root;
    const parameters = `reader: Reader${needsVersion(message, struct) ? ', version: number' : ''}`;
    this.lines.push(`${isRoot ? 'export ' : ''}function read${name}(${parameters}): ${name} {`);
    if (isRoot) {
      const { from, to } = message.versions;
      this.lines.push(`  reader.begin('${message.name}', version, ${from}, ${to});`);
    }
    if (flexibility(message, struct) === 'flexible') {
      this.lines.push(
        `  const flexible = ${condition(message.flexible, struct.versions) ?? 'true'};`,
      );
    }
    for (const field of this.fields) this.field(field);
    this.tags();
    const names = this.fields.map((field) => field.name);
    this.lines.push(names.length === 0 ? '  return {};' : `  return { ${names.join(', ')} };`, '}');
    return this.lines.join('\n');
  }

  private field(field: Field): void {
    const type = fieldType(this.message, this.struct, field);
    const initial = defaultValue(this.message, this.struct, field);
    const when = condition(presence(this.struct, field), this.struct.versions);
    if (field.tag !== null) {
      this.lines.push(`  let ${field.name}: ${type} = ${initial};`);
    } else if (field.array) {
      this.array(field, when, '  ');
    } else if (when === null) {
      this.lines.push(`  const ${field.name} = ${this.expression(field)};`);
    } else {
      this.lines.push(`  const ${field.name} = ${when} ? ${this.expression(field)} : ${initial};`);
    }
  }

  /** Declares an array and fills it in the versions that have it. */
  private array(field: Field, when: string | null, indent: string): void {
    const type = fieldType(this.message, this.struct, field);
    const nullable = isNullable(this.struct, field);
    const inner = when === null ? indent : `${indent}  `;
    const initial =
      nullable && when === null ? 'null' : defaultValue(this.message, this.struct, field);
    this.lines.push(`${indent}${nullable ? 'let' : 'const'} ${field.name}: ${type} = ${initial};`);
    if (when !== null) this.lines.push(`${indent}if (${when}) {`);
    this.fillArray(field, inner, initial);
    if (when !== null) this.lines.push(`${indent}}`);
  }

  private fillArray(field: Field, indent: string, initial: string): void {
    const element = `${field.name}.push(${this.single(field, '')})`;
    if (!isNullable(this.struct, field)) {
      this.lines.push(
        `${indent}for (let n = ${this.count(field, false)}; n > 0; n--) {`,
        `${indent}  ${element};`,
        `${indent}}`,
      );
      return;
    }
    const count = `${field.name}Count`;
    this.lines.push(`${indent}const ${count} = ${this.count(field, true)};`);
    const fill = [`for (let n = ${count}; n > 0; n--) {`, `  ${element};`, '}'];
    const branches =
      initial === 'null'
        ? [`if (${count} >= 0) {`, `  ${field.name} = [];`, ...fill.map((line) => `  ${line}`), '}']
        : [
            `if (${count} < 0) {`,
            `  ${field.name} = null;`,
            '} else {',
            ...fill.map((line) => `  ${line}`),
            '}',
          ];
    this.lines.push(...branches.map((line) => indent + line));
  }

  private count(field: Field, nullable: boolean): string {
    const arguments_ = `${this.flexible(field)}, ${elementBytes(this.message, this.struct, field)}, ${this.path(field)}`;
    if (!nullable) return `reader.arrayCount(${arguments_})`;
    const when = this.whenNullable(field);
    if (when === null) return `reader.nullableArrayCount(${arguments_})`;
    return `${when} ? reader.nullableArrayCount(${arguments_}) : reader.arrayCount(${arguments_})`;
  }

  /** Condition under which null can be said, among the versions that have the field; null is always. */
  private whenNullable(field: Field): string | null {
    const versions = presence(this.struct, field);
    return condition(intersect(field.nullable, versions), versions);
  }

  /** Reads the one value of a field that is no array. */
  private expression(field: Field): string {
    const nullable = isNullable(this.struct, field);
    if (typeof field.type !== 'string') {
      const call = this.structCall(field.type);
      return nullable ? `(reader.present(${this.path(field)}) ? ${call} : null)` : call;
    }
    if (!nullable) return this.single(field, '');
    const when = this.whenNullable(field);
    if (when === null) return this.single(field, 'nullable');
    return `(${when} ? ${this.single(field, 'nullable')} : ${this.single(field, '')})`;
  }

  /** Reads one value or element. */
  private single(field: Field, prefix: '' | 'nullable'): string {
    if (typeof field.type !== 'string') return this.structCall(field.type);
    const path = this.path(field);
    switch (field.type) {
      case 'string':
        return `reader.${prefix === '' ? 'string' : 'nullableString'}(${this.flexible(field)}, ${path})`;
      case 'bytes':
        return `reader.${prefix === '' ? 'bytes' : 'nullableBytes'}(${this.flexible(field)}, ${path})`;
      case 'records': {
        const what = this.message.role === 'request' ? 'Bytes' : 'Records';
        const method = prefix === '' ? what.toLowerCase() : `nullable${what}`;
        return `reader.${method}(${this.flexible(field)}, ${path})`;
      }
      default:
        return `reader.${field.type}(${path})`;
    }
  }

  private structCall(type: Struct): string {
    const version = needsVersion(this.message, type) ? ', version' : '';
    return `read${interfaceName(this.message, type)}(reader${version})`;
  }

  private flexible(field: Field): string {
    return field.inflexible ? 'false' : flexibility(this.message, this.struct);
  }

  private path(field: Field): string {
    const { path } = this.struct;
    return `'${path === '' ? field.name : `${path}.${field.name}`}'`;
  }

  private tags(): void {
    const flexible = flexibility(this.message, this.struct);
    if (flexible === 'false') return;
    const indent = flexible === 'true' ? '  ' : '    ';
    const tagged = taggedFields(this.struct);
    if (tagged.length === 0) {
      this.lines.push(
        flexible === 'true' ? '  reader.skipTags();' : '  if (flexible) reader.skipTags();',
      );
      return;
    }
    if (flexible === 'flexible') this.lines.push('  if (flexible) {');
    this.lines.push(
      `${indent}for (let tags = reader.tagCount(); tags > 0; tags--) {`,
      `${indent}  const tag = reader.uvarint('tag');`,
      `${indent}  const outerEnd = reader.openTag();`,
    );
    tagged.forEach((field, index) => this.tag(field, index === 0, `${indent}  `));
    this.lines.push(
      `${indent}  } else {`,
      `${indent}    reader.skipTag();`,
      `${indent}  }`,
      `${indent}  reader.closeTag(outerEnd);`,
      `${indent}}`,
    );
    if (flexible === 'flexible') this.lines.push('  }');
  }

  private tag(field: Field, first: boolean, indent: string): void {
    const context = intersect(this.struct.versions, this.message.flexible);
    const when = condition(intersect(presence(this.struct, field), context), context);
    const test = when === null ? `tag === ${field.tag}` : `tag === ${field.tag} && ${when}`;
    this.lines.push(`${indent}${first ? '' : '} else '}if (${test}) {`);
    if (!field.array) {
      this.lines.push(`${indent}  ${field.name} = ${this.expression(field)};`);
      return;
    }
    // A tag that comes twice replaces what came before, as every other field would.
    const nullable = isNullable(this.struct, field);
    this.lines.push(`${indent}  ${field.name} = ${nullable ? 'null' : '[]'};`);
    this.fillArray(field, `${indent}  `, nullable ? 'null' : '[]');
  }
}
