import type { Journal } from './journal/journal.ts';
import type { LogTable } from './index/log-table.ts';
import { encodeTxn } from './meta-codec.ts';
import type { MetaState, PreparedTxn } from './meta-state.ts';
import type { MetaEntry, MetaEvent, MetaStore, MetaTxn, MetaTxnResult } from './meta-store.ts';
import type { LogId, LogSpec, Unsubscribe } from './types.ts';

export interface LocalMetaStoreOptions {
  readonly state: MetaState;
  readonly table: LogTable;
  /** Throws when the engine takes nothing: before open, after close, after a failure. */
  readonly journal: () => Journal;
  readonly alterLog: (id: LogId, spec: LogSpec) => void;
  readonly deleteLog: (id: LogId) => void;
  /** Calls back once when the position is synced, or not any more. */
  readonly whenSynced: (position: number, done: (error: Error | null) => void) => void;
}

/** The metadata store, kept in the journal: a transaction is an entry of a commit group. */
export class LocalMetaStore implements MetaStore {
  private readonly options: LocalMetaStoreOptions;

  constructor(options: LocalMetaStoreOptions) {
    this.options = options;
  }

  get revision(): number {
    return this.options.state.revision;
  }

  get(key: string): MetaEntry | null {
    return this.options.state.get(key);
  }

  range(prefix: string): readonly MetaEntry[] {
    return this.options.state.range(prefix);
  }

  watch(prefix: string, callback: (event: MetaEvent) => void): Unsubscribe {
    return this.options.state.watch(prefix, callback);
  }

  grantLease(ttlMs: number): number {
    return this.options.state.leases.grant(ttlMs);
  }

  keepAlive(lease: number): boolean {
    return this.options.state.leases.keepAlive(lease);
  }

  async revokeLease(lease: number): Promise<void> {
    const journal = this.options.journal();
    await this.commit(this.options.state.prepareRevoke(lease), journal);
  }

  async txn(txn: MetaTxn): Promise<MetaTxnResult> {
    const journal = this.options.journal();
    const prepared = this.options.state.prepare(txn);
    await this.commit(prepared, journal);
    return { succeeded: prepared.succeeded, revision: prepared.revision };
  }

  /** Removes what an earlier process held by leases. */
  async sweep(): Promise<void> {
    const journal = this.options.journal();
    await this.commit(this.options.state.prepareSweep(), journal);
  }

  /** Makes a journalled transaction visible; its logs before its keys, so that watchers find them. */
  apply(txn: PreparedTxn): void {
    for (const log of txn.createLogs) this.options.table.create(log);
    for (const change of txn.alterLogs) this.options.alterLog(change.id, change.spec);
    this.options.state.apply(txn);
    for (const id of txn.deleteLogs) this.options.deleteLog(id);
  }

  /** Like apply, for a transaction out of the journal whose effect the checkpoint may have already. */
  replay(txn: PreparedTxn): void {
    const known = txn.revision <= this.options.state.revision;
    this.apply(known ? { ...txn, ops: [] } : txn);
  }

  private commit(prepared: PreparedTxn, journal: Journal): Promise<void> {
    return new Promise((resolve, reject) => {
      let position = journal.sequence;
      if (prepared.changes) {
        const group = journal.group();
        group.addMeta(encodeTxn(prepared), { onDurable: () => this.apply(prepared) });
        group.needsSync = true;
        position = group.sequence;
        journal.added();
      }
      this.options.whenSynced(position, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}
