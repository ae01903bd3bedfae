import type { LogId, LogSpec, NewLog, Unsubscribe } from './types.ts';

/** One key of the metadata store. Keys are path-like text, values are text (JSON by convention). */
export interface MetaEntry {
  readonly key: string;
  readonly value: string;
  /** Revision of the store at which the key was created / last written. */
  readonly createRevision: number;
  readonly modRevision: number;
}

/** True when the key's modRevision equals revision; 0 means the key does not exist. */
export interface MetaCompare {
  readonly key: string;
  readonly modRevision: number;
}

export type MetaOp =
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly lease?: number }
  | { readonly op: 'delete'; readonly key: string };

export interface MetaTxn {
  readonly compares?: readonly MetaCompare[];
  readonly then: readonly MetaOp[];
  readonly else?: readonly MetaOp[];
  /** Logs created, changed and deleted in the same commit as `then`; ids come from LogEngine.allocateLogIds. */
  readonly createLogs?: readonly NewLog[];
  readonly alterLogs?: readonly { readonly id: LogId; readonly spec: LogSpec }[];
  readonly deleteLogs?: readonly LogId[];
}

export interface MetaTxnResult {
  readonly succeeded: boolean;
  readonly revision: number;
}

export interface MetaEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
}

/** A small, linearizable, durable key-value store with compare-and-set transactions (the shape of etcd's v3 API). */
export interface MetaStore {
  readonly revision: number;
  get(key: string): MetaEntry | null;
  /** All entries whose key starts with prefix, in key order. */
  range(prefix: string): readonly MetaEntry[];
  /** Resolves when durable; applied to get/range (and its logs usable) at that moment and not before. */
  txn(txn: MetaTxn): Promise<MetaTxnResult>;
  /** Called in revision order after a transaction was applied. */
  watch(prefix: string, callback: (event: MetaEvent) => void): Unsubscribe;
  /** A lease id; keys put with it vanish when it is not kept alive within ttlMs, or at restart. */
  grantLease(ttlMs: number): number;
  keepAlive(lease: number): boolean;
  revokeLease(lease: number): Promise<void>;
}
