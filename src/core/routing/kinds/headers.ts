import type { Message } from '../../message/message.ts';
import type { PropertiesReaders } from '../../message/properties.ts';
import type { ArgumentValue, Arguments } from '../../queue-types.ts';
import type { Binding } from '../binding.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

type HeaderValue = ArgumentValue | Buffer;

interface Pattern {
  readonly binding: Binding;
  readonly all: boolean;
  readonly names: readonly string[];
  /** null: the header must be there, whatever its value. */
  readonly values: readonly ArgumentValue[];
}

const MODES: ReadonlySet<ArgumentValue> = new Set(['all', 'any', 'all-with-x', 'any-with-x']);

/**
 * The binding's arguments say which headers a message must have: all of them, or any. Names that begin with x- count in
 * the modes -with-x only. Values of different types differ.
 */
export class HeadersKind implements ExchangeKind {
  readonly dependsOn = 'message';
  readonly perKey = false;
  private readonly readers: PropertiesReaders;
  private readonly patterns = new Map<Binding, Pattern>();

  constructor(readers: PropertiesReaders) {
    this.readers = readers;
  }

  findBindingDefect(_routingKey: string, given: Arguments): string | null {
    const mode = given['x-match'];
    if (mode === undefined || MODES.has(mode)) return null;
    // Clients assert this text: it is that of the broker they were written for.
    if (typeof mode === 'string') {
      return `Invalid x-match field value <<"${mode}">>; expected all, any, all-with-x, or any-with-x`;
    }
    return `Invalid x-match field type ${typeof mode} (value ${JSON.stringify(mode)}); expected longstr`;
  }

  add(binding: Binding): void {
    const mode = binding.arguments['x-match'] ?? 'all';
    const withX = mode === 'all-with-x' || mode === 'any-with-x';
    const entries = Object.entries(binding.arguments).filter(
      ([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')),
    );
    this.patterns.set(binding, {
      binding,
      all: mode === 'all' || mode === 'all-with-x',
      names: entries.map(([name]) => name),
      values: entries.map(([, value]) => value),
    });
  }

  remove(binding: Binding): void {
    this.patterns.delete(binding);
  }

  match(_key: string, message: Message, visitor: BindingVisitor): void {
    for (const pattern of this.patterns.values()) {
      if (this.matches(pattern, message)) visitor.visitBinding(pattern.binding);
    }
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.match(key, message, visitor);
  }

  keyAffectedBy(): null {
    return null;
  }

  private matches(pattern: Pattern, message: Message): boolean {
    const { names, values, all } = pattern;
    for (let i = 0; i < names.length; i++) {
      const header = this.readers.header(message, names[i]!);
      const wanted = values[i]!;
      const same = header !== undefined && (wanted === null || equalValues(wanted, header));
      if (same !== all) return same;
    }
    return all;
  }
}

/** Equal in type and value, however deep. */
export function equalValues(a: ArgumentValue, b: HeaderValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Buffer.isBuffer(b)) return false;
  if (isList(a) || isList(b)) {
    if (!isList(a) || !isList(b) || a.length !== b.length) return false;
    return a.every((value, i) => equalValues(value, b[i]!));
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equalValues(a[name]!, b[name]!));
}

function isList(value: ArgumentValue): value is readonly ArgumentValue[] {
  return Array.isArray(value);
}
