/** Reads fields of a stored record; a TypeError names the field that is something else. */
export class RecordReader {
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new TypeError('an object expected');
    }
    this.fields = value as Record<string, unknown>;
  }

  value(name: string): unknown {
    return this.fields[name];
  }

  text(name: string): string {
    const value = this.fields[name];
    if (typeof value !== 'string') throw new TypeError(`${name}: text expected`);
    return value;
  }

  flag(name: string): boolean {
    return this.fields[name] === true;
  }

  number(name: string): number {
    const value = this.fields[name];
    if (typeof value !== 'number') throw new TypeError(`${name}: a number expected`);
    return value;
  }

  /** null when absent: there is no limit. */
  limit(name: string): number | null {
    return typeof this.fields[name] === 'number' ? this.number(name) : null;
  }

  texts(name: string): readonly string[] {
    const value = this.fields[name];
    if (!Array.isArray(value)) throw new TypeError(`${name}: a list expected`);
    return value.map(String);
  }

  object(name: string): RecordReader {
    return new RecordReader(this.fields[name] ?? {});
  }
}
