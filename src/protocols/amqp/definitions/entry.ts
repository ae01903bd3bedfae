import type { ArgumentValue, Arguments } from '../../../core/queue-types.ts';
import { namespaceOf } from '../vhost.ts';

/** An entry that cannot be taken. */
export class EntryError extends Error {
  override readonly name = 'EntryError';
}

type Json = Readonly<Record<string, unknown>>;

/** One entry of a section, read leniently: what old versions left out has its usual value, unknown fields are ignored. */
export class Entry {
  readonly section: string;
  readonly index: number;
  private readonly fields: Json;
  /** Where an import into one virtual host goes, whatever the entry says. */
  private readonly target: string | null;

  constructor(
    value: unknown,
    place: { readonly section: string; readonly index: number; readonly target: string | null },
  ) {
    this.section = place.section;
    this.index = place.index;
    this.target = place.target;
    this.fields = isObject(value) ? value : {};
    if (!isObject(value)) throw this.error('an object expected');
  }

  /** For messages: queues[3] 'orders'. */
  get place(): string {
    const name = this.fields['name'] ?? this.fields['user'] ?? this.fields['destination'];
    const suffix = typeof name === 'string' ? ` '${name}'` : '';
    return `${this.section}[${this.index}]${suffix}`;
  }

  get namespace(): string {
    return this.target ?? namespaceOf(this.text('vhost'));
  }

  has(name: string): boolean {
    return (this.fields[name] ?? null) !== null;
  }

  value(name: string): unknown {
    return this.fields[name] ?? null;
  }

  text(name: string, fallback?: string): string {
    const value = this.fields[name] ?? fallback;
    if (typeof value !== 'string') throw this.error(`'${name}': text expected`);
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.fields[name] ?? fallback;
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    throw this.error(`'${name}': true or false expected`);
  }

  integer(name: string, fallback: number): number {
    const value = this.fields[name] ?? fallback;
    const number = typeof value === 'string' ? Number(value) : value;
    if (!Number.isSafeInteger(number)) throw this.error(`'${name}': an integer expected`);
    return number as number;
  }

  /** A list of texts, or one text with commas, as before 3.9. */
  texts(name: string): readonly string[] {
    const value = this.fields[name] ?? [];
    if (Array.isArray(value)) return value.map(String);
    if (typeof value !== 'string') throw this.error(`'${name}': a list expected`);
    return value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }

  /** An object; [] stands for an empty one, as Erlang's encoders write it. */
  object(name: string): Arguments {
    const value = this.fields[name] ?? {};
    if (Array.isArray(value) && value.length === 0) return {};
    if (!isObject(value)) throw this.error(`'${name}': an object expected`);
    return value as Arguments;
  }

  json(name: string): ArgumentValue {
    return (this.fields[name] ?? null) as ArgumentValue;
  }

  error(message: string): EntryError {
    return new EntryError(`${this.place}: ${message}`);
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
