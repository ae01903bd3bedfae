import { findNameDefect } from '../../security/names.ts';
import { CHANGED, CREATED, invalid, type ChangeOutcome } from '../../security/outcome.ts';
import { RecordReader } from '../../security/record-reader.ts';
import type { RecordTable, RecordTransaction, Records } from '../../security/records.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Arguments } from '../queue-types.ts';

/** The namespace that is always there. */
export const DEFAULT_NAMESPACE = 'default';

/** null: without limit. 0: none. */
export interface NamespaceLimits {
  readonly maxConnections: number | null;
  readonly maxQueues: number | null;
}

/** A namespace as others see it. */
export interface Namespace {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Type of queues that are declared without one; null: the protocol's default. */
  readonly defaultQueueType: string | null;
  /** A protocol's own facts: opaque to core. */
  readonly metadata: Arguments;
  readonly limits: NamespaceLimits;
  /** Copies of messages are published for whoever looks on. */
  readonly tracing: boolean;
}

/** Part of what a namespace has is deleted with it. May be called again after a failure, and then finds less. */
export type NamespaceCleaner = (namespace: string) => Promise<void>;

interface NamespaceRecord extends Namespace {
  /** What is in it is being deleted; it is not there any more for anybody else. */
  readonly deleting: boolean;
}

export type NamespaceChange =
  | { readonly kind: 'created' | 'changed'; readonly namespace: Namespace }
  | { readonly kind: 'deleted'; readonly name: string };

const NO_LIMITS: NamespaceLimits = Object.freeze({ maxConnections: null, maxQueues: null });

/**
 * The namespaces of a broker. Deleting one first marks it durably, then has its contents deleted by whoever owns
 * them, then forgets it; a restart goes on with what was not finished.
 */
export class NamespaceStore {
  private readonly records: Records;
  private readonly logger: Logger;
  private readonly onChange: (change: NamespaceChange) => void;
  private readonly table: RecordTable<NamespaceRecord>;
  private readonly cleaners: NamespaceCleaner[] = [];
  /** Names that were told as existing. */
  private readonly live = new Set<string>();
  private readonly deletions = new Map<string, Promise<void>>();

  constructor(options: {
    readonly records: Records;
    readonly logger: Logger;
    readonly onChange: (change: NamespaceChange) => void;
  }) {
    this.records = options.records;
    this.logger = options.logger;
    this.onChange = options.onChange;
    this.table = options.records.table<NamespaceRecord>({
      name: 'namespaces',
      decode: decodeNamespace,
      onChange: ([name = ''], record) => this.tell(name, record),
    });
  }

  /** Call it once, after the records were loaded. */
  load(): void {
    for (const { name } of this.list()) this.live.add(name);
  }

  get(name: string): Namespace | null {
    const record = this.table.get(name);
    return record === null || record.deleting ? null : record;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  list(): readonly Namespace[] {
    return this.table.list().filter(({ deleting }) => !deleting);
  }

  /** What is called, in order of adding, when a namespace is deleted. */
  addCleaner(cleaner: NamespaceCleaner): void {
    this.cleaners.push(cleaner);
  }

  /** Creates a namespace, or changes what is given of one that exists. */
  async put(
    name: string,
    changes: Partial<Omit<Namespace, 'name' | 'limits'>> & {
      readonly limits?: Partial<NamespaceLimits>;
    } = {},
  ): Promise<ChangeOutcome> {
    const defect = findNameDefect('namespace', name) ?? findLimitDefect(changes.limits);
    if (defect !== null) return invalid(defect);
    await this.deletions.get(name)?.catch(() => undefined);
    return this.records.transact((transaction) => {
      const known = transaction.get(this.table, name);
      if (known?.deleting === true) return invalid(`namespace '${name}' is being deleted`);
      transaction.put(this.table, [name], {
        ...(known ?? fresh(name)),
        ...changes,
        name,
        limits: { ...(known?.limits ?? NO_LIMITS), ...changes.limits },
      });
      return known === null ? CREATED : CHANGED;
    });
  }

  /** Part of a larger change: makes the namespace when it is not there. */
  ensure(transaction: RecordTransaction, name: string): void {
    if (transaction.get(this.table, name) !== null) return;
    transaction.put(this.table, [name], fresh(name));
  }

  /** Deletes a namespace with everything in it; resolves when that is done. Rejects when it got stuck half-way. */
  async delete(name: string): Promise<ChangeOutcome> {
    if (name === DEFAULT_NAMESPACE) return invalid('the default namespace cannot be deleted');
    const outcome = await this.records.transact((transaction): ChangeOutcome => {
      const known = transaction.get(this.table, name);
      if (known === null) return { status: 'unknown', what: 'namespace' };
      transaction.put(this.table, [name], { ...known, deleting: true });
      return CHANGED;
    });
    if (outcome.status === 'ok') await this.finish(name);
    return outcome;
  }

  /** Goes on with deletions that a stop interrupted. Never rejects. */
  async resumeDeletions(): Promise<void> {
    for (const { name, deleting } of this.table.list()) {
      if (!deleting) continue;
      try {
        await this.finish(name);
      } catch (error) {
        this.logger.error('namespace.deletion-failed', 'a namespace is left half deleted', {
          namespace: name,
          error,
        });
      }
    }
  }

  private finish(name: string): Promise<void> {
    const pending = this.deletions.get(name);
    if (pending !== undefined) return pending;
    const deletion = this.clean(name).finally(() => this.deletions.delete(name));
    this.deletions.set(name, deletion);
    return deletion;
  }

  private async clean(name: string): Promise<void> {
    for (const cleaner of this.cleaners) await cleaner(name);
    await this.records.transact((transaction) => transaction.delete(this.table, [name]));
  }

  private tell(name: string, record: NamespaceRecord | null): void {
    const exists = record !== null && !record.deleting;
    const existed = this.live.has(name);
    if (exists) {
      this.live.add(name);
      this.onChange({ kind: existed ? 'changed' : 'created', namespace: record });
    } else if (existed) {
      this.live.delete(name);
      this.onChange({ kind: 'deleted', name });
    }
  }
}

function fresh(name: string): NamespaceRecord {
  return {
    name,
    description: name === DEFAULT_NAMESPACE ? 'Default virtual host' : '',
    tags: [],
    defaultQueueType: null,
    metadata: {},
    limits: NO_LIMITS,
    tracing: false,
    deleting: false,
  };
}

function findLimitDefect(limits: Partial<NamespaceLimits> | undefined): string | null {
  for (const [name, value] of Object.entries(limits ?? {})) {
    if (value !== null && (!Number.isSafeInteger(value) || value < 0)) {
      return `${name}: an integer from 0 expected, or null`;
    }
  }
  return null;
}

function decodeNamespace(value: unknown, [name = '']: readonly string[]): NamespaceRecord {
  const fields = new RecordReader(value);
  const limits = fields.object('limits');
  return Object.freeze({
    name,
    description: fields.text('description'),
    tags: fields.texts('tags'),
    defaultQueueType:
      fields.value('defaultQueueType') === null ? null : fields.text('defaultQueueType'),
    metadata: fields.value('metadata') as Arguments,
    limits: {
      maxConnections: limits.limit('maxConnections'),
      maxQueues: limits.limit('maxQueues'),
    },
    tracing: fields.flag('tracing'),
    deleting: fields.flag('deleting'),
  });
}
