import type { PreparedTxn } from './meta-state.ts';
import type { LogSpec } from './types.ts';

/**
 * Metadata in the journal and the manifest is JSON: it is rare, and a repair tool can read it. Limits that are
 * Infinity are null there.
 */
export function encodeTxn(txn: PreparedTxn): Buffer {
  const { revision, ops, createLogs, alterLogs, deleteLogs } = txn;
  return Buffer.from(JSON.stringify({ revision, ops, createLogs, alterLogs, deleteLogs }));
}

/** The transaction, or null when the bytes are not one. */
export function decodeTxn(body: Buffer): PreparedTxn | null {
  try {
    const stored = JSON.parse(body.toString()) as StoredTxn; // checksummed: written by encodeTxn
    return {
      succeeded: true,
      changes: true,
      revision: stored.revision,
      ops: stored.ops,
      createLogs: stored.createLogs.map((log) => ({ ...log, spec: restoreSpec(log.spec) })),
      alterLogs: stored.alterLogs.map((log) => ({ ...log, spec: restoreSpec(log.spec) })),
      deleteLogs: stored.deleteLogs,
    };
  } catch {
    return null;
  }
}

/** A spec as JSON gives it back. */
export type StoredSpec = Record<keyof Omit<LogSpec, 'durability'>, number | null> &
  Pick<LogSpec, 'durability'>;

export function restoreSpec(stored: StoredSpec): LogSpec {
  return {
    durability: stored.durability,
    retentionMs: stored.retentionMs ?? Infinity,
    retentionBytes: stored.retentionBytes ?? Infinity,
    segmentBytes: stored.segmentBytes ?? Infinity,
  };
}

interface StoredTxn {
  readonly revision: number;
  readonly ops: PreparedTxn['ops'];
  readonly createLogs: readonly { id: number; name: string; spec: StoredSpec }[];
  readonly alterLogs: readonly { id: number; spec: StoredSpec }[];
  readonly deleteLogs: readonly number[];
}
