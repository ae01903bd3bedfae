/** Names of a record, outermost first: namespace, user, ... */
export type RecordKey = readonly string[];

/** One kind of record: where it is kept and how it is written down. */
export interface TableDefinition<T> {
  /** Path-like, without slashes at its ends; unique among the tables of a broker. */
  readonly name: string;
  /** Reads what JSON.stringify made of a record; throws when it is something else. */
  decode(value: unknown, key: RecordKey): T;
  /** Told of each change after it was made, whoever made it; not told of what load finds. */
  onChange?(key: RecordKey, record: T | null): void;
}

/** The records of one kind, wholly in memory. */
export interface RecordTable<T> {
  get(...key: RecordKey): T | null;
  /** In the order of keys. The same array until something changes. */
  list(): readonly T[];
  /** Those whose keys begin with these names, in order. */
  listUnder(...key: RecordKey): readonly T[];
}

/** Reads and writes of one change; see Records.transact. */
export interface RecordTransaction {
  /** What is durable now; the transaction is done again when that changes before it commits. */
  get<T>(table: RecordTable<T>, ...key: RecordKey): T | null;
  put<T>(table: RecordTable<T>, key: RecordKey, record: T): void;
  delete<T>(table: RecordTable<T>, key: RecordKey): void;
}

/** Durable tables of small records: the port through which security keeps its own. */
export interface Records {
  table<T>(definition: TableDefinition<T>): RecordTable<T>;
  /**
   * Makes the changes that plan asks for as one. plan is synchronous and may run more than once; resolves with its
   * last answer when all is durable and in memory. LB3005 when others kept changing the same records.
   */
  transact<R>(plan: (transaction: RecordTransaction) => R): Promise<R>;
}
