import type { Argument, ArgumentType, ClassDefinition, Method } from './definition.ts';
import { constantName, typeName, wireId, wireName } from './names.ts';

const TYPESCRIPT: Record<ArgumentType, string> = {
  bit: 'boolean',
  octet: 'number',
  short: 'number',
  long: 'number',
  longlong: 'number',
  timestamp: 'number',
  shortstr: 'string',
  longstr: 'Buffer',
  longtext: 'string',
  table: 'FieldTable',
};

/** What a reserved argument is written as. */
const EMPTY: Record<Exclude<ArgumentType, 'bit'>, string> = {
  octet: '0',
  short: '0',
  long: '0',
  longlong: '0',
  timestamp: '0',
  shortstr: "''",
  longstr: 'NO_BYTES',
  longtext: "''",
  table: 'EMPTY_TABLE',
};

/** How the reader passes over reserved strings. */
const SKIP: Partial<Record<ArgumentType, string>> = {
  shortstr: 'skipShortstr',
  longstr: 'skipLongstr',
};

/** A name that strict code does not forbid. */
const local = (argument: Argument): string =>
  argument.name === 'arguments' ? 'table' : argument.name;

export const typescriptType = (argument: Argument): string => TYPESCRIPT[argument.type];

export const fieldLine = (argument: Argument, type: string): string =>
  `${argument.remark === '' ? '' : `  /** ${argument.remark} */\n`}  readonly ${argument.name}: ${type};`;

/** All of one method: its id, its type, its reader and its writer. */
export function emitMethod(owner: ClassDefinition, method: Method): string {
  const exposed = method.arguments.filter((argument) => !argument.reserved);
  const blocks = [
    `export const ${constantName(owner, method)} = ${wireId(owner, method)};`,
    ...(exposed.length === 0 ? [] : [emitInterface(owner, method, exposed)]),
    emitReader(owner, method, exposed),
    emitWriter(owner, method, exposed),
  ];
  return blocks.join('\n\n');
}

function emitInterface(
  owner: ClassDefinition,
  method: Method,
  exposed: readonly Argument[],
): string {
  const fields = exposed.map((argument) => fieldLine(argument, typescriptType(argument)));
  const about = method.about.length === 0 ? [] : [`/** ${method.about.join(' ')} */`];
  return [...about, `export interface ${typeName(owner, method)} {`, ...fields, '}'].join('\n');
}

/** Neighbouring bits share an octet. */
function groups(list: readonly Argument[]): Argument[][] {
  const result: Argument[][] = [];
  for (const argument of list) {
    const last = result.at(-1);
    if (argument.type === 'bit' && last?.[0]?.type === 'bit' && last.length < 8)
      last.push(argument);
    else result.push([argument]);
  }
  return result;
}

function emitReader(owner: ClassDefinition, method: Method, exposed: readonly Argument[]): string {
  const name = typeName(owner, method);
  const lines: string[] = [];
  for (const group of groups(method.arguments)) {
    const [first] = group;
    if (first === undefined) continue;
    const shown = group.filter((argument) => !argument.reserved);
    if (first.type === 'bit') {
      lines.push(shown.length === 0 ? '  reader.octet();' : '  const bits = reader.octet();');
      for (const argument of shown) {
        const mask = 1 << group.indexOf(argument);
        lines.push(`  const ${local(argument)} = (bits & ${mask}) !== 0;`);
      }
    } else if (first.reserved) {
      lines.push(`  reader.${SKIP[first.type] ?? first.type}();`);
    } else {
      lines.push(`  const ${local(first)} = reader.${first.type}();`);
    }
  }
  const type = exposed.length === 0 ? 'NoArguments' : name;
  const fields = exposed.map((argument) =>
    local(argument) === argument.name ? argument.name : `${argument.name}: ${local(argument)}`,
  );
  const result = exposed.length === 0 ? 'NO_ARGUMENTS' : `{ ${fields.join(', ')} }`;
  return [
    `export function read${name}(reader: ArgumentReader): ${type} {`,
    ...lines,
    '  reader.finish();',
    `  return ${result};`,
    '}',
  ].join('\n');
}

function emitWriter(owner: ClassDefinition, method: Method, exposed: readonly Argument[]): string {
  const name = typeName(owner, method);
  const lines: string[] = [];
  for (const group of groups(method.arguments)) {
    const [first] = group;
    if (first === undefined) continue;
    if (first.type === 'bit') {
      const terms = group
        .map((argument, index) => ({ argument, index }))
        .filter(({ argument }) => !argument.reserved)
        .map(({ argument, index }) => `(method.${argument.name} ? ${1 << index} : 0)`);
      lines.push(`  output.octet(${terms.length === 0 ? '0' : terms.join(' | ')});`);
    } else {
      const value = first.reserved ? EMPTY[first.type] : `method.${first.name}`;
      lines.push(`  output.${first.type}(${value});`);
    }
  }
  const parameter = exposed.length === 0 ? '' : `, method: ${name}`;
  return [
    `export function write${name}(output: Output, channel: number${parameter}): void {`,
    `  output.beginMethod(channel, ${constantName(owner, method)});`,
    ...lines,
    '  output.endFrame();',
    '}',
  ].join('\n');
}

/** The line of a method in the table of all. */
export function emitTableEntry(owner: ClassDefinition, method: Method): string {
  const name = typeName(owner, method);
  const exposed = method.arguments.some((argument) => !argument.reserved);
  return [
    `  ${name}: {`,
    `    id: ${constantName(owner, method)},`,
    `    name: '${wireName(owner, method)}',`,
    `    from: '${method.from}',`,
    `    hasContent: ${method.content},`,
    `    read: read${name},`,
    `    write: write${name},`,
    `  } satisfies MethodCodec<${exposed ? name : 'NoArguments'}>,`,
  ].join('\n');
}
