import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.ts';
import { LyrebirdError } from '../base/errors.ts';
import { RingBuffer } from '../base/ring-buffer.ts';
import type { Logger } from '../telemetry/logger.ts';
import { MetaLeases } from './meta-leases.ts';
import type { MetaCompare, MetaEntry, MetaEvent, MetaOp, MetaTxn } from './meta-store.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { LogId, LogSpec, NewLog, Unsubscribe } from './types.ts';

/** An entry with what restoring needs. lease is 0 for keys that stay. */
export interface StoredMetaEntry extends MetaEntry {
  readonly lease: number;
}

/**
 * A transaction after its compares were decided: only effects are left. This is what a journal keeps; applying
 * the same sequence gives the same state and the same revisions.
 */
export interface PreparedTxn {
  readonly succeeded: boolean;
  /** The store's revision once this was applied. */
  readonly revision: number;
  /** Every put, and every delete of a key that exists by then. Not empty: revision is one above the one before. */
  readonly ops: readonly MetaOp[];
  readonly createLogs: readonly NewLog[];
  readonly alterLogs: readonly { readonly id: LogId; readonly spec: LogSpec }[];
  readonly deleteLogs: readonly LogId[];
  /** False: nothing to journal and not to be applied; the answer is durable as soon as all before it is. */
  readonly changes: boolean;
}

/** What changed since the last call of takeChanges. */
export interface MetaChanges {
  readonly revision: number;
  readonly puts: readonly StoredMetaEntry[];
  readonly deletes: readonly string[];
}

export interface MetaStateOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A lease ran out: commit prepareRevoke(lease). */
  readonly onLeaseExpired: (lease: number) => void;
}

/** A key as the transactions in flight will leave it. */
interface StagedKey {
  modRevision: number;
  lease: number;
  /** Transactions in flight that touch it. */
  users: number;
}

interface Watcher {
  readonly prefix: string;
  readonly callback: (event: MetaEvent) => void;
}

const NO_OPS: readonly MetaOp[] = [];

/**
 * The state behind a MetaStore, without a disk. A driver takes a transaction in three steps:
 *
 *   prepare   decides the compares against everything prepared before, and the revision
 *   commit    the driver's own: journals PreparedTxn and waits
 *   apply     in the order of prepare; from now on visible to get, range and watchers
 *
 * Recovery calls restore with a checkpoint's entries, then apply for each journalled transaction, then commits
 * prepareSweep: leases do not outlive the process that granted them.
 */
export class MetaState {
  readonly leases: MetaLeases;
  private readonly logger: Logger;
  private readonly entries: Map<string, StoredMetaEntry>;
  private readonly keys: SortedKeys;
  private readonly dirty: Set<string>;
  private readonly staged: Map<string, StagedKey>;
  private readonly inFlight: RingBuffer<PreparedTxn>;
  private watchers: readonly Watcher[];
  private appliedRevision: number;
  private preparedRevision: number;

  constructor(options: MetaStateOptions) {
    this.leases = new MetaLeases(options.clock, options.onLeaseExpired);
    this.logger = options.logger;
    this.entries = new Map();
    this.keys = new SortedKeys();
    this.dirty = new Set();
    this.staged = new Map();
    this.inFlight = new RingBuffer();
    this.watchers = [];
    this.appliedRevision = 0;
    this.preparedRevision = 0;
  }

  get revision(): number {
    return this.appliedRevision;
  }

  /** Number of keys. */
  get size(): number {
    return this.entries.size;
  }

  get(key: string): StoredMetaEntry | null {
    return this.entries.get(key) ?? null;
  }

  range(prefix: string): readonly StoredMetaEntry[] {
    const found: StoredMetaEntry[] = [];
    this.keys.forEach(prefix, (key) => found.push(this.entries.get(key)!));
    return found;
  }

  watch(prefix: string, callback: (event: MetaEvent) => void): Unsubscribe {
    const watcher: Watcher = { prefix, callback };
    this.watchers = [...this.watchers, watcher];
    return () => {
      this.watchers = this.watchers.filter((other) => other !== watcher);
    };
  }

  /** Decides a transaction. Throws LB2007 when it names a lease that is over: nothing is prepared then. */
  prepare(txn: MetaTxn): PreparedTxn {
    const succeeded = (txn.compares ?? []).every((compare) => this.holds(compare));
    const asked = succeeded ? txn.then : (txn.else ?? NO_OPS);
    for (const op of asked) {
      if (op.op === 'put' && op.lease !== undefined && !this.leases.has(op.lease)) {
        throw new LyrebirdError('LB2007', `lease ${op.lease} is unknown or over; grant a new one`, {
          details: { lease: op.lease, key: op.key },
        });
      }
    }
    return this.stage(succeeded, asked, succeeded ? txn : null);
  }

  /** Ends a lease and prepares the removal of its keys. A lease that is over already has none. */
  prepareRevoke(lease: number): PreparedTxn {
    const candidates = new Set(this.leases.end(lease));
    for (const [key, staged] of this.staged) if (staged.lease === lease) candidates.add(key);
    const doomed = [...candidates].filter((key) => this.leaseOf(key) === lease);
    return this.stage(true, doomed.map(toDelete), null);
  }

  /** Prepares the removal of every key that hangs on a lease: those of an earlier process, at its end. */
  prepareSweep(): PreparedTxn {
    const doomed: string[] = [];
    this.keys.forEach('', (key) => {
      if (this.leaseOf(key) !== 0) doomed.push(key);
    });
    return this.stage(true, doomed.map(toDelete), null);
  }

  /** Makes a transaction visible: the oldest prepared one, or, while none is in flight, one out of a journal. */
  apply(txn: PreparedTxn): void {
    if (this.inFlight.length > 0) {
      assert(this.inFlight.shift() === txn, 'transactions are applied in the order of prepare');
      for (const op of txn.ops) this.unstage(op.key);
    }
    if (txn.ops.length === 0) return;
    assert(txn.revision === this.appliedRevision + 1, 'no revision is skipped');
    this.appliedRevision = txn.revision;
    this.preparedRevision = Math.max(this.preparedRevision, txn.revision);
    for (const op of txn.ops) this.applyOp(op, txn.revision);
    for (const op of txn.ops) this.dispatch(op, txn.revision);
  }

  /** Replaces everything by the entries of a checkpoint. */
  restore(entries: Iterable<StoredMetaEntry>, revision: number): void {
    assert(this.inFlight.length === 0, 'nothing is in flight when a state is restored');
    this.entries.clear();
    this.dirty.clear();
    for (const entry of entries) this.entries.set(entry.key, entry);
    this.keys.reset([...this.entries.keys()]);
    this.appliedRevision = revision;
    this.preparedRevision = revision;
  }

  /** Everything, in key order: for a full checkpoint. */
  *all(): Iterable<StoredMetaEntry> {
    for (const entry of this.range('')) yield entry;
  }

  /** What was applied since the last call (or restore): for a checkpoint that only keeps differences. */
  takeChanges(): MetaChanges {
    const puts: StoredMetaEntry[] = [];
    const deletes: string[] = [];
    for (const key of this.dirty) {
      const entry = this.entries.get(key);
      if (entry === undefined) deletes.push(key);
      else puts.push(entry);
    }
    this.dirty.clear();
    return { revision: this.appliedRevision, puts, deletes };
  }

  /** Stops the leases' timers. */
  close(): void {
    this.leases.close();
  }

  private holds(compare: MetaCompare): boolean {
    const staged = this.staged.get(compare.key);
    const modRevision = staged?.modRevision ?? this.entries.get(compare.key)?.modRevision ?? 0;
    return modRevision === compare.modRevision;
  }

  private leaseOf(key: string): number {
    return this.staged.get(key)?.lease ?? this.entries.get(key)?.lease ?? 0;
  }

  private stage(succeeded: boolean, asked: readonly MetaOp[], logs: MetaTxn | null): PreparedTxn {
    const ops: MetaOp[] = [];
    const revision = this.preparedRevision + 1;
    for (const op of asked) {
      if (op.op === 'delete' && this.holds({ key: op.key, modRevision: 0 })) continue;
      ops.push(op);
      this.stageKey(op, revision);
    }
    const createLogs = logs?.createLogs ?? [];
    const alterLogs = logs?.alterLogs ?? [];
    const deleteLogs = logs?.deleteLogs ?? [];
    if (ops.length > 0) this.preparedRevision = revision;
    const changes =
      ops.length > 0 || createLogs.length > 0 || alterLogs.length > 0 || deleteLogs.length > 0;
    const prepared: PreparedTxn = {
      succeeded,
      revision: this.preparedRevision,
      ops,
      createLogs,
      alterLogs,
      deleteLogs,
      changes,
    };
    if (changes) this.inFlight.push(prepared);
    return prepared;
  }

  private stageKey(op: MetaOp, revision: number): void {
    let staged = this.staged.get(op.key);
    if (staged === undefined) {
      staged = { modRevision: 0, lease: 0, users: 0 };
      this.staged.set(op.key, staged);
    }
    staged.users++;
    staged.modRevision = op.op === 'put' ? revision : 0;
    staged.lease = op.op === 'put' ? (op.lease ?? 0) : 0;
  }

  private unstage(key: string): void {
    const staged = this.staged.get(key);
    assert(staged !== undefined, 'a key in flight is staged');
    staged.users--;
    if (staged.users === 0) this.staged.delete(key);
  }

  private applyOp(op: MetaOp, revision: number): void {
    const before = this.entries.get(op.key);
    this.dirty.add(op.key);
    if (before !== undefined && before.lease !== 0) this.leases.detach(before.lease, op.key);
    if (op.op === 'delete') {
      if (before === undefined) return;
      this.entries.delete(op.key);
      this.keys.remove(op.key);
      return;
    }
    const lease = op.lease ?? 0;
    this.entries.set(op.key, {
      key: op.key,
      value: op.value,
      createRevision: before?.createRevision ?? revision,
      modRevision: revision,
      lease,
    });
    if (before === undefined) this.keys.add(op.key);
    if (lease !== 0) this.leases.attach(lease, op.key);
  }

  private dispatch(op: MetaOp, revision: number): void {
    const value = op.op === 'put' ? op.value : null;
    for (const watcher of this.watchers) {
      if (!op.key.startsWith(watcher.prefix)) continue;
      try {
        watcher.callback({ type: op.op, key: op.key, value, revision });
      } catch (error) {
        this.logger.error('storage.listener', 'a metadata watcher threw', { error, key: op.key });
      }
    }
  }
}

function toDelete(key: string): MetaOp {
  return { op: 'delete', key };
}
