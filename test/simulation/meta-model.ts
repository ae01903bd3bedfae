import type { MetaOp, MetaTxn } from '../../src/storage/meta-store.ts';
import type { LogEngine, LogId, LogSpec } from '../../src/storage/types.ts';

interface ModelEntry {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly lease: number;
}

/** What exists after some number of transactions. */
export interface MetaModelState {
  readonly revision: number;
  readonly keys: ReadonlyMap<string, ModelEntry>;
  readonly logs: ReadonlyMap<LogId, { readonly name: string; readonly spec: LogSpec }>;
}

export interface SubmittedTxn {
  /** Number of transactions before it. */
  readonly index: number;
  readonly succeeded: boolean;
  readonly revision: number;
}

const EMPTY: MetaModelState = { revision: 0, keys: new Map(), logs: new Map() };

/** Says what the metadata store must hold: one transaction after the other, in the order of submission. */
export class MetaModel {
  /** states[i]: after i transactions since the last start. */
  private states: MetaModelState[] = [EMPTY];
  /** Transactions that were reported as committed. */
  private ackedCount = 0;

  get latest(): MetaModelState {
    return this.states[this.states.length - 1]!;
  }

  submit(txn: MetaTxn): SubmittedTxn {
    const before = this.latest;
    const succeeded = (txn.compares ?? []).every(
      ({ key, modRevision }) => (before.keys.get(key)?.modRevision ?? 0) === modRevision,
    );
    const ops = succeeded ? txn.then : (txn.else ?? []);
    const state = applyOps(before, ops, succeeded ? txn : null);
    this.states.push(state);
    return { index: this.states.length - 1, succeeded, revision: state.revision };
  }

  revoke(lease: number): SubmittedTxn {
    const doomed = [...this.latest.keys].filter(([, entry]) => entry.lease === lease);
    return this.submit({ then: doomed.map(([key]) => ({ op: 'delete', key })) });
  }

  acknowledge(txn: SubmittedTxn): void {
    this.ackedCount = Math.max(this.ackedCount, txn.index);
  }

  /** The process ended well: everything submitted counts. */
  acknowledgeAll(): void {
    this.ackedCount = this.states.length - 1;
  }

  /**
   * Finds the state that a recovered engine shows and goes on from there; or says what is wrong. Leases ended
   * with the process, which is a change of its own when it removed keys.
   */
  recover(engine: LogEngine): string | null {
    for (let i = this.states.length - 1; i >= this.ackedCount; i--) {
      const state = sweep(this.states[i]!);
      if (difference(engine, state) !== null) continue;
      this.states = [state];
      this.ackedCount = 0;
      return null;
    }
    const nearest = difference(engine, sweep(this.states[this.ackedCount]!));
    return `metadata is none of the states since the last acknowledged one; from that: ${nearest}`;
  }

  /** Difference of what the engine shows from everything submitted, or null. */
  compare(engine: LogEngine): string | null {
    return difference(engine, this.latest);
  }
}

function applyOps(
  before: MetaModelState,
  ops: readonly MetaOp[],
  logChanges: MetaTxn | null,
): MetaModelState {
  const keys = new Map(before.keys);
  const next = before.revision + 1;
  let changed = false;
  for (const op of ops) {
    const old = keys.get(op.key);
    if (op.op === 'put') {
      const createRevision = old?.createRevision ?? next;
      const lease = op.lease ?? 0;
      keys.set(op.key, { value: op.value, createRevision, modRevision: next, lease });
      changed = true;
    } else if (old !== undefined) {
      keys.delete(op.key);
      changed = true;
    }
  }
  const logs = new Map(before.logs);
  for (const { id, name, spec } of logChanges?.createLogs ?? []) logs.set(id, { name, spec });
  for (const { id, spec } of logChanges?.alterLogs ?? []) {
    const log = logs.get(id);
    if (log !== undefined) logs.set(id, { name: log.name, spec });
  }
  for (const id of logChanges?.deleteLogs ?? []) logs.delete(id);
  return { revision: changed ? next : before.revision, keys, logs };
}

function sweep(state: MetaModelState): MetaModelState {
  const kept = new Map([...state.keys].filter(([, entry]) => entry.lease === 0));
  if (kept.size === state.keys.size) return state;
  return { revision: state.revision + 1, keys: kept, logs: state.logs };
}

function difference(engine: LogEngine, state: MetaModelState): string | null {
  const { meta } = engine;
  if (meta.revision !== state.revision) return `revision ${meta.revision}, not ${state.revision}`;
  const entries = meta.range('');
  if (entries.length !== state.keys.size) return `${entries.length} keys, not ${state.keys.size}`;
  let previous = '';
  for (const entry of entries) {
    const expected = state.keys.get(entry.key);
    if (expected === undefined) return `unexpected key ${entry.key}`;
    if (entry.key < previous) return `key ${entry.key} is out of order`;
    previous = entry.key;
    const same =
      entry.value === expected.value &&
      entry.createRevision === expected.createRevision &&
      entry.modRevision === expected.modRevision;
    if (!same) return `key ${entry.key} is ${JSON.stringify(entry)}`;
  }
  return logDifference(engine, state);
}

function logDifference(engine: LogEngine, state: MetaModelState): string | null {
  let count = 0;
  for (const { id, name, spec } of engine.logs()) {
    count++;
    const expected = state.logs.get(id);
    if (expected === undefined) return `unexpected log ${id}`;
    if (name !== expected.name) return `log ${id} is called ${name}`;
    if (spec.durability !== expected.spec.durability) return `log ${id} is ${spec.durability}`;
    if (spec.retentionBytes !== expected.spec.retentionBytes) return `log ${id}: wrong retention`;
  }
  return count === state.logs.size ? null : `${count} logs, not ${state.logs.size}`;
}
