import type { Clock } from '../../base/clock.ts';
import { RingBuffer } from '../../base/ring-buffer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { MetaState } from '../meta-state.ts';
import type { PreparedTxn } from '../meta-state.ts';
import type { MetaEntry, MetaEvent, MetaStore, MetaTxn, MetaTxnResult } from '../meta-store.ts';
import type { Unsubscribe } from '../types.ts';

export interface MemoryMetaOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes sure that commit() will be called in a later turn. */
  readonly joinGroup: () => void;
}

interface PendingTxn {
  readonly prepared: PreparedTxn;
  readonly resolve: (result: MetaTxnResult) => void;
  readonly reject: (error: Error) => void;
}

/** The metadata store of the memory engine: transactions commit with the group of the turn. */
export class MemoryMeta implements MetaStore {
  private readonly state: MetaState;
  private readonly joinGroup: () => void;
  private readonly pending: RingBuffer<PendingTxn>;
  private failure: Error | null;

  constructor(options: MemoryMetaOptions) {
    this.state = new MetaState({
      clock: options.clock,
      logger: options.logger,
      onLeaseExpired: (lease) => {
        this.revokeLease(lease).catch(() => {}); // rejects only when closed, and then nothing is kept
      },
    });
    this.joinGroup = options.joinGroup;
    this.pending = new RingBuffer();
    this.failure = null;
  }

  get revision(): number {
    return this.state.revision;
  }

  get(key: string): MetaEntry | null {
    return this.state.get(key);
  }

  range(prefix: string): readonly MetaEntry[] {
    return this.state.range(prefix);
  }

  async txn(txn: MetaTxn): Promise<MetaTxnResult> {
    if (this.failure !== null) throw this.failure;
    return this.enqueue(this.state.prepare(txn));
  }

  watch(prefix: string, callback: (event: MetaEvent) => void): Unsubscribe {
    return this.state.watch(prefix, callback);
  }

  grantLease(ttlMs: number): number {
    return this.state.leases.grant(ttlMs);
  }

  keepAlive(lease: number): boolean {
    return this.state.leases.keepAlive(lease);
  }

  async revokeLease(lease: number): Promise<void> {
    if (this.failure !== null) throw this.failure;
    await this.enqueue(this.state.prepareRevoke(lease));
  }

  /** The group ends: applies what is pending. changeLogs is called before a transaction's keys are visible. */
  commit(changeLogs: (txn: PreparedTxn) => void): void {
    for (let txn = this.pending.shift(); txn !== undefined; txn = this.pending.shift()) {
      const { prepared } = txn;
      if (prepared.changes) {
        changeLogs(prepared);
        this.state.apply(prepared);
      }
      txn.resolve({ succeeded: prepared.succeeded, revision: prepared.revision });
    }
  }

  close(error: Error): void {
    this.failure = error;
    this.state.close();
    for (let txn = this.pending.shift(); txn !== undefined; txn = this.pending.shift()) {
      txn.reject(error);
    }
  }

  private enqueue(prepared: PreparedTxn): Promise<MetaTxnResult> {
    this.joinGroup();
    return new Promise((resolve, reject) => this.pending.push({ prepared, resolve, reject }));
  }
}
