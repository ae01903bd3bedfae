import { LyrebirdError } from '../base/errors.ts';
import type {
  RecordKey,
  RecordTable,
  RecordTransaction,
  Records,
  TableDefinition,
} from '../security/records.ts';
import type { MetaCompare, MetaOp, MetaStore } from '../storage/meta-store.ts';
import type { Unsubscribe } from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';

const ATTEMPTS_MAX = 20;

/**
 * Tables of small records in the metadata store. The store is the truth; memory follows what its watch tells. A
 * record's key is `<table>/<name>/<name>`, each name URI-encoded; its value is JSON.
 */
export class MetaRecords implements Records {
  private readonly meta: MetaStore;
  private readonly logger: Logger;
  private readonly tables: MetaTable<unknown>[] = [];
  private unwatch: Unsubscribe[] = [];

  constructor(meta: MetaStore, logger: Logger) {
    this.meta = meta;
    this.logger = logger;
  }

  table<T>(definition: TableDefinition<T>): RecordTable<T> {
    const table = new MetaTable(definition, this.logger);
    this.tables.push(table);
    return table;
  }

  /** Reads what is stored; call it once, when the engine is open. */
  load(): void {
    for (const table of this.tables) {
      for (const { key, value } of this.meta.range(table.prefix)) table.apply(key, value, false);
      this.unwatch.push(
        this.meta.watch(table.prefix, ({ key, value }) => table.apply(key, value, true)),
      );
    }
  }

  close(): void {
    for (const unwatch of this.unwatch) unwatch();
    this.unwatch = [];
  }

  async transact<R>(plan: (transaction: RecordTransaction) => R): Promise<R> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const transaction = new Transaction(this.meta);
      const result = plan(transaction);
      if (transaction.ops.size === 0) return result;
      const { succeeded } = await this.meta.txn({
        compares: [...transaction.compares.values()],
        then: [...transaction.ops.values()],
      });
      if (!succeeded) continue;
      for (const key of transaction.ops.keys()) this.catchUp(key);
      return result;
    }
    throw new LyrebirdError('LB3005', 'others kept changing the same records; try again');
  }

  /** The store tells its watchers in a turn of its own: whoever awaited a change sees it at once. */
  private catchUp(key: string): void {
    for (const table of this.tables) {
      if (key.startsWith(table.prefix)) table.apply(key, this.meta.get(key)?.value ?? null, true);
    }
  }
}

class MetaTable<T> implements RecordTable<T> {
  readonly prefix: string;
  private readonly definition: TableDefinition<T>;
  private readonly logger: Logger;
  private readonly records = new Map<string, { readonly text: string; readonly record: T }>();
  private sorted: readonly T[] | null = null;
  private sortedKeys: readonly string[] = [];

  constructor(definition: TableDefinition<T>, logger: Logger) {
    this.prefix = `${definition.name}/`;
    this.definition = definition;
    this.logger = logger;
  }

  get(...key: RecordKey): T | null {
    return this.records.get(encodeKey(key))?.record ?? null;
  }

  list(): readonly T[] {
    if (this.sorted === null) {
      this.sortedKeys = [...this.records.keys()].sort();
      this.sorted = this.recordsOf(this.sortedKeys);
    }
    return this.sorted;
  }

  listUnder(...key: RecordKey): readonly T[] {
    this.list();
    const prefix = `${encodeKey(key)}/`;
    return this.recordsOf(this.sortedKeys.filter((path) => path.startsWith(prefix)));
  }

  keyOf(key: RecordKey): string {
    return this.prefix + encodeKey(key);
  }

  /** Reads a value as it is in the store now, which may be ahead of memory. */
  parse(path: string, text: string): T {
    const encoded = path.slice(this.prefix.length);
    const known = this.records.get(encoded);
    if (known?.text === text) return known.record;
    return this.definition.decode(JSON.parse(text), decodeKey(encoded));
  }

  /** Takes over what the store says of a key; nothing happens when that is known already. */
  apply(path: string, text: string | null, tell: boolean): void {
    const encoded = path.slice(this.prefix.length);
    if ((this.records.get(encoded)?.text ?? null) === text) return;
    let record: T | null = null;
    try {
      if (text !== null) record = this.parse(path, text);
    } catch (error) {
      this.logger.error('record.unreadable', 'a record is left out: it cannot be read', {
        key: path,
        error,
      });
    }
    if (text === null || record === null) this.records.delete(encoded);
    else this.records.set(encoded, { text, record });
    this.sorted = null;
    if (tell) this.definition.onChange?.(decodeKey(encoded), record);
  }

  private recordsOf(keys: readonly string[]): readonly T[] {
    return keys.flatMap((key) => {
      const entry = this.records.get(key);
      return entry === undefined ? [] : [entry.record];
    });
  }
}

class Transaction implements RecordTransaction {
  readonly compares = new Map<string, MetaCompare>();
  readonly ops = new Map<string, MetaOp>();
  private readonly meta: MetaStore;

  constructor(meta: MetaStore) {
    this.meta = meta;
  }

  get<T>(table: RecordTable<T>, ...key: RecordKey): T | null {
    const own = table as MetaTable<T>;
    const path = own.keyOf(key);
    const entry = this.meta.get(path);
    this.compares.set(path, { key: path, modRevision: entry?.modRevision ?? 0 });
    return entry === null ? null : own.parse(path, entry.value);
  }

  put<T>(table: RecordTable<T>, key: RecordKey, record: T): void {
    const path = (table as MetaTable<T>).keyOf(key);
    this.ops.set(path, { op: 'put', key: path, value: JSON.stringify(record) });
  }

  delete<T>(table: RecordTable<T>, key: RecordKey): void {
    const path = (table as MetaTable<T>).keyOf(key);
    this.ops.set(path, { op: 'delete', key: path });
  }
}

function encodeKey(key: RecordKey): string {
  return key.map((name) => encodeURIComponent(name)).join('/');
}

function decodeKey(encoded: string): RecordKey {
  return encoded.split('/').map((name) => decodeURIComponent(name));
}
