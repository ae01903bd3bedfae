import type { Clock } from '../../src/base/clock.ts';
import type { MetaEntry, MetaStore, MetaTxn } from '../../src/storage/meta-store.ts';
import {
  APPEND_REFUSED,
  type CommitListener,
  type LogEngine,
  type LogId,
} from '../../src/storage/types.ts';

interface Waiting {
  readonly position: number;
  readonly listener: CommitListener;
}

/** What survives a crash of a NoteEngine. */
export interface Stored {
  readonly notes: { readonly log: LogId; readonly note: Buffer; readonly position: number }[];
  readonly snapshots: Map<LogId, Buffer>;
  readonly meta: Map<string, MetaEntry>;
  readonly logs: Set<LogId>;
  committed: number;
  nextLog: number;
}

export function emptyStore(): Stored {
  return {
    notes: [],
    snapshots: new Map(),
    meta: new Map(),
    logs: new Set(),
    committed: 0,
    nextLog: 1,
  };
}

/**
 * The part of a log engine that state machines use (notes, snapshots, metadata), in memory, with commits in the
 * test's hand: they happen in a later turn of the clock, or when the test says so.
 */
export class NoteEngine {
  readonly stored: Stored;
  private readonly clock: Clock;
  private position: number;
  private waiting: Waiting[] = [];
  private held = false;
  private failed = false;
  private readonly checkpointCallbacks = new Set<() => void>();
  appended = 0;

  constructor(clock: Clock, stored: Stored = emptyStore()) {
    this.clock = clock;
    this.stored = stored;
    this.position = stored.committed;
  }

  /** As the interface; what state machines do not use throws. */
  get engine(): LogEngine {
    const own: Partial<LogEngine> = {
      owner: () => ({ node: 1, address: null, epoch: 1, mine: true }),
      allocateLogIds: (count) => {
        const first = this.stored.nextLog;
        this.stored.nextLog += count;
        return Promise.resolve(first);
      },
      hasLog: (log) => this.stored.logs.has(log),
      appendNote: (log, _epoch, note) => this.append(log, note),
      whenCommitted: (position, _durability, listener) => this.wait(position, listener),
      onCheckpoint: (callback) => {
        this.checkpointCallbacks.add(callback);
        return () => void this.checkpointCallbacks.delete(callback);
      },
      snapshots: {
        save: (log, bytes) => void this.stored.snapshots.set(log, Buffer.from(bytes)),
        load: (log) => this.stored.snapshots.get(log) ?? null,
      },
      meta: this.meta(),
    };
    return new Proxy(own, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (value === undefined) throw new Error(`the note engine has no ${String(name)}`);
        return value;
      },
    }) as LogEngine; // The proxy stands in for the members that are missing.
  }

  /** Commits wait for commit() from now on. */
  hold(): void {
    this.held = true;
  }

  /** Commits everything that was appended, and goes on committing by itself. */
  release(): void {
    this.held = false;
    this.commit();
  }

  commit(): void {
    this.stored.committed = this.position;
    const done = this.waiting;
    this.waiting = [];
    for (const { listener } of done) listener.onCommitted();
  }

  /** Nothing commits any more. */
  fail(): void {
    this.failed = true;
    const done = this.waiting;
    this.waiting = [];
    for (const { listener } of done) listener.onCommitFailed(new Error('disk is gone'));
  }

  checkpoint(): void {
    for (const callback of this.checkpointCallbacks) callback();
    this.commit();
    this.stored.notes.length = 0;
  }

  /** Forgets what was not committed, as a crash does. */
  crash(): Stored {
    const kept = this.stored.notes.filter(({ position }) => position <= this.stored.committed);
    this.stored.notes.splice(0, this.stored.notes.length, ...kept);
    return this.stored;
  }

  private append(log: LogId, note: Buffer): number {
    if (this.failed) return APPEND_REFUSED.failed;
    if (!this.stored.logs.has(log)) return APPEND_REFUSED.unknownLog;
    this.position++;
    this.appended++;
    this.stored.notes.push({ log, note: Buffer.from(note), position: this.position });
    return this.position;
  }

  private wait(position: number, listener: CommitListener): void {
    this.waiting.push({ position, listener });
    this.clock.defer(() => {
      if (!this.held && !this.failed) this.commit();
    });
  }

  private meta(): MetaStore {
    const { meta, logs } = this.stored;
    const own: Partial<MetaStore> = {
      get: (key) => meta.get(key) ?? null,
      range: (prefix) =>
        [...meta.values()]
          .filter(({ key }) => key.startsWith(prefix))
          .sort((a, b) => (a.key < b.key ? -1 : 1)),
      txn: async (txn: MetaTxn) => {
        await Promise.resolve();
        if (this.failed) throw new Error('disk is gone');
        const fits = (txn.compares ?? []).every(
          ({ key, modRevision }) => (meta.get(key)?.modRevision ?? 0) === modRevision,
        );
        const revision = meta.size + 1;
        if (!fits) return { succeeded: false, revision };
        for (const op of txn.then) {
          if (op.op === 'delete') meta.delete(op.key);
          else {
            const { key, value } = op;
            meta.set(key, { key, value, createRevision: revision, modRevision: revision });
          }
        }
        for (const { id } of txn.createLogs ?? []) logs.add(id);
        return { succeeded: true, revision };
      },
    };
    return own as MetaStore; // As above: state machines use no more.
  }
}
