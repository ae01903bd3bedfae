import type { MetaOp, MetaTxn } from '../../src/storage/meta-store.ts';
import { APPEND_REFUSED } from '../../src/storage/types.ts';
import type {
  CommitListener,
  Durability,
  LogEngine,
  LogSpec,
  Position,
} from '../../src/storage/types.ts';
import { ACKED_FSYNC, ACKED_OS, LogModel, UNACKED } from './log-model.ts';
import type { Acked } from './log-model.ts';
import { makeSimBatch } from './sim-batch.ts';
import { checkRandomRead, checkTimes } from './read-checks.ts';
import { saveState } from './replay.ts';
import type { Running } from './sim-process.ts';
import type { World } from './world.ts';

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/1', 'c', 'd/x', 'e'];
const DURABILITIES: readonly Durability[] = ['fsync', 'fsync', 'fsync', 'os', 'os', 'memory'];
const LOGS_MAX = 12;
const PRODUCERS = 3;
const START_MS = 1_700_000_000_000;

interface Action {
  readonly weight: number;
  readonly run: (workload: Workload) => void;
}

const ACTIONS: readonly Action[] = [
  { weight: 30, run: (w) => w.appendSome(1) },
  { weight: 12, run: (w) => w.appendSome(2 + w.world.below(12)) },
  { weight: 8, run: (w) => w.appendShared() },
  { weight: 6, run: (w) => w.appendAtomically() },
  { weight: 10, run: (w) => w.appendNote() },
  { weight: 5, run: (w) => w.trim() },
  { weight: 8, run: (w) => w.changeKeys() },
  { weight: 4, run: (w) => w.createLogs() },
  { weight: 2, run: (w) => w.deleteLog() },
  { weight: 2, run: (w) => w.alterLog() },
  { weight: 2, run: (w) => w.useLease() },
  { weight: 14, run: (w) => checkRandomRead(w) },
  { weight: 3, run: (w) => checkTimes(w) },
];
const TOTAL_WEIGHT = ACTIONS.reduce((sum, action) => sum + action.weight, 0);

/** One process' clients: does random things with an engine and tells the model what was promised. */
export class Workload {
  readonly world: World;
  readonly engine: LogEngine;
  /** Listeners and transactions that were not answered yet. */
  waiting: number;
  /** The engine refused because a write or sync failed. */
  failed: boolean;
  /** How often an outcome was called unknown; how far progress was told. */
  readonly told: { failures: number; os: number; fsync: number };
  /** The engine is being closed. */
  closing: boolean;
  private readonly leases: number[];

  constructor(world: World, running: Running) {
    this.world = world;
    this.engine = running.engine;
    this.waiting = 0;
    this.failed = false;
    this.leases = [];
    this.closing = false;
    this.told = { failures: 0, os: 0, fsync: 0 };
    running.saveSnapshots = () => this.saveSnapshots();
    this.engine.onCommitted((position, durability) => {
      if (position <= this.told[durability]) world.fail(`${durability} progress went back`);
      this.told[durability] = position;
    });
    for (const log of this.usable()) this.watch(log);
  }

  /** From now on, failures are what one would expect. */
  close(): void {
    this.closing = true;
  }

  act(): void {
    const { world } = this;
    let left = world.below(TOTAL_WEIGHT);
    if (this.usable().length < 2) return this.createLogs();
    for (const action of ACTIONS) {
      left -= action.weight;
      if (left < 0) return action.run(this);
    }
  }

  usable(): LogModel[] {
    return [...this.world.logs.values()].filter((log) => log.usable);
  }

  appendSome(count: number): void {
    let log = this.world.pick(this.usable());
    for (let i = 0; i < count && log !== undefined; i++) {
      this.appendTo(log);
      if (this.world.chance(0.5)) log = this.world.pick(this.usable());
    }
  }

  appendAtomically(): void {
    const positions = new Set<number>();
    this.engine.atomically(() => {
      for (let i = 0; i < 4; i++) {
        const log = this.world.pick(this.usable());
        if (log === undefined) return;
        const position = this.world.chance(0.3) ? this.noteTo(log) : this.appendTo(log);
        if (position > 0 && !log.memory) positions.add(position);
      }
    });
    if (positions.size > 1) this.world.fail('an atomic group has several positions');
  }

  appendNote(): void {
    const log = this.world.pick(this.usable());
    if (log !== undefined) this.noteTo(log);
  }

  appendShared(): void {
    const { world, engine } = this;
    const logs = new Set<LogModel>();
    for (let i = 0; i < 3; i++) {
      const log = world.pick(this.usable());
      if (log !== undefined) logs.add(log);
    }
    const targets = [...logs];
    const batch = this.makeBatch(null);
    const ids = targets.map((log) => log.id);
    const epochs = targets.map(() => world.below(5));
    const before = ids.map((id) => engine.pendingEnd(id));
    const position = engine.appendShared(ids, epochs, batch.bytes, 0, batch.bytes.length);
    world.log(`appendShared ${ids.join(',')} -> ${position}`);
    if (!this.accepted(position)) {
      const after = ids.map((id) => engine.pendingEnd(id));
      if (after.join() !== before.join()) world.fail('a refused shared append moved an end');
      return;
    }
    for (const [i, log] of targets.entries()) {
      this.took(log, batch, position, epochs[i]!);
    }
  }

  trim(): void {
    const { world, engine } = this;
    const log = world.pick(this.usable());
    const bounds = log === undefined ? null : engine.bounds(log.id);
    if (log === undefined || bounds === null) return;
    const before = bounds.start + world.below(bounds.pendingEnd - bounds.start + 2);
    const position = engine.trim(log.id, before);
    const after = engine.bounds(log.id)!;
    world.log(`trim ${log.id} before ${before}: starts at ${after.start} -> ${position}`);
    if (position < 0) {
      this.accepted(position);
      return;
    }
    if (after.start < bounds.start || after.start > Math.max(before, bounds.start)) {
      world.fail(`trim to ${before} moved the start from ${bounds.start} to ${after.start}`);
    }
    log.trimmedTo = Math.max(log.trimmedTo, after.start);
    if (after.start === bounds.start || log.memory) return;
    const trim = { before: after.start, position, acked: UNACKED as Acked };
    log.trims.push(trim);
    this.await(position, 'fsync', (acked) => (trim.acked = acked));
  }

  changeKeys(): void {
    const { world } = this;
    const txn: MetaTxn = { then: this.someOps(), else: world.chance(0.5) ? this.someOps() : [] };
    const key = world.pick(KEYS)!;
    const actual = world.meta.latest.keys.get(key)?.modRevision ?? 0;
    const guess = world.chance(0.7) ? actual : world.below(10);
    this.commit(world.chance(0.5) ? { ...txn, compares: [{ key, modRevision: guess }] } : txn);
  }

  createLogs(): void {
    const { world, engine } = this;
    const count = 1 + world.below(3);
    if (world.logs.size + count > LOGS_MAX) return;
    void engine.allocateLogIds(count).then((first) => {
      if (first <= world.newestLogId) world.fail(`log id ${first} was handed out twice`);
      const createLogs = Array.from({ length: count }, (_, i) => ({
        id: first + i,
        name: `sim/${first + i}`,
        spec: this.someSpec(),
      }));
      const models = createLogs.map(({ id, spec }) => {
        const limited = spec.retentionBytes !== Infinity || spec.retentionMs !== Infinity;
        const trimsItself = limited || world.scenario.shortOfSpace;
        return new LogModel(id, { memory: spec.durability === 'memory', trimsItself });
      });
      for (const log of models) world.logs.set(log.id, log);
      this.commit({ then: this.someOps(), createLogs }, () => {
        world.newestLogId = Math.max(world.newestLogId, first + count - 1);
        for (const log of models) {
          log.usable = true;
          this.watch(log);
          if (!engine.hasLog(log.id)) world.fail(`log ${log.id} was created and is not there`);
        }
      });
    });
  }

  deleteLog(): void {
    const log = this.world.pick(this.usable());
    if (log === undefined) return;
    log.usable = false;
    this.commit({ then: [], deleteLogs: [log.id] }, () => {
      this.world.logs.delete(log.id);
      if (this.engine.hasLog(log.id)) this.world.fail(`log ${log.id} was deleted and is there`);
    });
  }

  alterLog(): void {
    const log = this.world.pick(this.usable());
    const spec = log === undefined ? null : this.engine.spec(log.id);
    if (log === undefined || spec === null || log.memory) return;
    const durability = this.world.chance(0.5) ? 'os' : 'fsync';
    log.altered = true;
    this.commit({ then: [], alterLogs: [{ id: log.id, spec: { ...spec, durability } }] });
  }

  useLease(): void {
    const { world, engine } = this;
    if (this.leases.length > 0 && world.chance(0.5)) {
      const lease = this.leases.pop()!;
      const expected = world.meta.revoke(lease);
      world.log(`revoke lease ${lease}`);
      this.settle(engine.meta.revokeLease(lease), () => world.meta.acknowledge(expected));
      return;
    }
    // Long enough never to run out: how leases end by themselves is tested elsewhere.
    const lease = engine.meta.grantLease(1e9) + 0;
    this.leases.push(lease);
    this.commit({ then: [{ op: 'put', key: world.pick(KEYS)!, value: 'leased', lease }] });
  }

  /** Everything is committed and everybody was answered. */
  isQuiet(): boolean {
    // An engine that failed owes an answer, but not success; nobody may have asked it since.
    if (this.mayFail()) return this.waiting === 0;
    const pending = this.usable().some(
      (log) => (this.engine.bounds(log.id)?.committedEnd ?? log.end) !== log.end,
    );
    return !pending && this.waiting === 0;
  }

  /** When nothing is under way, everybody must have been told of everything. */
  checkQuiet(): void {
    const { world, engine } = this;
    if (!engine.writable()) world.fail('the engine takes nothing although nothing is pending');
    for (const log of this.usable()) {
      const bounds = engine.bounds(log.id);
      if (bounds === null) continue;
      if (log.toldEnd !== bounds.committedEnd) {
        world.fail(`watchers of log ${log.id} know it to ${log.toldEnd}, not to ${log.end}`);
      }
    }
  }

  private watch(log: LogModel): void {
    const look = (): void => {
      log.toldEnd = this.engine.bounds(log.id)?.committedEnd ?? log.toldEnd;
    };
    look();
    this.engine.onAdvance(log.id, look);
  }

  private appendTo(log: LogModel): Position {
    const { world, engine } = this;
    const batch = this.makeBatch(log);
    const epoch = world.below(5);
    const end = engine.pendingEnd(log.id);
    if (end !== log.end) world.fail(`log ${log.id} ends at ${end}, not ${log.end}`);
    const position = engine.append(log.id, epoch, batch.bytes, 0, batch.bytes.length);
    world.log(`append ${log.id} at ${end}, ${batch.bytes.length} bytes -> ${position}`);
    if (this.accepted(position)) this.took(log, batch, position, epoch);
    batch.bytes.fill(0xee);
    return position;
  }

  private took(
    log: LogModel,
    batch: { bytes: Buffer; records: number },
    position: Position,
    epoch: number,
  ): void {
    const { world, engine } = this;
    const { durability } = engine.spec(log.id)!;
    const { bytes, records } = batch;
    const facts = { records, epoch, position, durability };
    const appended = log.append(bytes, 0, bytes.length, facts);
    if (appended.producerId >= 0) log.sequences.set(appended.producerId, appended.sequence + 1);
    if (log.memory) return;
    if (position < world.lastPosition)
      world.fail(`position ${position} after ${world.lastPosition}`);
    world.lastPosition = position;
    const asked = world.chance(0.8) ? durability : world.chance(0.5) ? 'fsync' : 'os';
    this.await(position, asked, (acked) => {
      log.promise(appended, acked);
      const end = engine.bounds(log.id)?.committedEnd;
      const visible = end === undefined || end >= appended.nextOffset || log.altered;
      if (asked === durability && !visible) {
        world.fail(`log ${log.id}: position ${position} is committed, its data is not readable`);
      }
    });
  }

  private noteTo(log: LogModel): Position {
    if (log.memory) return 0;
    const { world, engine } = this;
    const number = log.notes.length;
    const note = Buffer.alloc(4 + world.below(60));
    note.writeUInt32BE(number, 0);
    const position = engine.appendNote(log.id, 0, note);
    world.log(`note ${log.id} number ${number} -> ${position}`);
    if (!this.accepted(position)) return position;
    if (position < world.lastPosition)
      world.fail(`position ${position} after ${world.lastPosition}`);
    world.lastPosition = position;
    const kept = { number, position, acked: UNACKED as Acked };
    log.notes.push(kept);
    this.await(position, engine.spec(log.id)!.durability, (acked) => (kept.acked = acked));
    return position;
  }

  /** True when it is a position; else checks that there was a reason to refuse. */
  private accepted(position: Position): boolean {
    const { world } = this;
    if (position >= 0) return true;
    if (position === APPEND_REFUSED.failed) this.failed = true;
    const expected =
      position === APPEND_REFUSED.memoryFull ||
      (position === APPEND_REFUSED.diskFull && world.scenario.shortOfSpace) ||
      (position === APPEND_REFUSED.failed && this.mayFail());
    if (!expected) world.fail(`an append was refused with ${position}`);
    return false;
  }

  mayFail(): boolean {
    const { faults, shortOfSpace } = this.world.scenario;
    return shortOfSpace || faults.write + faults.sync + faults.read + faults.names > 0;
  }

  private await(position: Position, durability: Durability, done: (acked: Acked) => void): void {
    const { world } = this;
    let calls = 0;
    let inside = true;
    this.waiting++;
    const once = (): boolean => {
      this.waiting--;
      if (++calls > 1) world.fail(`the listener of position ${position} was told twice`);
      if (inside) world.fail('a listener was told inside whenCommitted');
      return calls === 1;
    };
    const listener: CommitListener = {
      onCommitted: () => {
        world.log(`committed ${position} ${durability}`);
        if (once()) done(durability === 'fsync' ? ACKED_FSYNC : ACKED_OS);
      },
      onCommitFailed: (error) => {
        world.log(`unknown outcome of ${position}: ${error.message}`);
        this.told.failures++;
        if (once() && !this.closing && !this.mayFail())
          world.fail(`commit failed: ${error.message}`);
      },
    };
    this.engine.whenCommitted(position, durability, listener);
    inside = false;
  }

  private commit(txn: MetaTxn, done: () => void = () => {}): void {
    const { world } = this;
    const expected = world.meta.submit(txn);
    world.log(`txn ${expected.index} ${JSON.stringify(txn)}`);
    this.settle(this.engine.meta.txn(txn), (result) => {
      world.log(`txn ${expected.index} is done: ${JSON.stringify(result)}`);
      world.meta.acknowledge(expected);
      if (result.succeeded !== expected.succeeded || result.revision !== expected.revision) {
        world.fail(`txn gave ${JSON.stringify(result)}, not ${JSON.stringify(expected)}`);
      }
      if (expected.succeeded) done();
    });
  }

  private settle<T>(promise: Promise<T>, done: (value: T) => void): void {
    this.waiting++;
    promise.then(
      (value) => {
        this.waiting--;
        done(value);
      },
      (error: Error) => {
        this.waiting--;
        this.world.log(`a transaction was rejected: ${error.message}`);
        if (!this.closing && !this.mayFail()) this.world.fail(`txn rejected: ${error.message}`);
      },
    );
  }

  private saveSnapshots(): void {
    this.world.count('checkpoints');
    this.world.log('checkpoint');
    for (const log of this.world.logs.values()) {
      if (log.memory || !this.engine.hasLog(log.id)) continue;
      saveState(this.engine, log.id, { notes: log.notes.length, end: log.end });
    }
  }

  private makeBatch(log: LogModel | null): { bytes: Buffer; records: number } {
    const { world } = this;
    const tag = world.nextTag++;
    const records = 1 + world.below(4);
    const bodyBytes = world.chance(0.05) ? 4 + world.below(6000) : 4 + world.below(300);
    const producerId = log === null ? -1 : world.below(PRODUCERS);
    const sequence = log?.sequences.get(producerId) ?? 0;
    const timestamp = START_MS + Math.floor(world.scheduler.nowMs) + world.below(50);
    const content = { tag, records, bodyBytes, timestamp, producerId, sequence };
    return { bytes: makeSimBatch(content), records };
  }

  private someOps(): MetaOp[] {
    const { world } = this;
    return Array.from({ length: world.below(4) }, () => {
      const key = world.pick(KEYS)!;
      return world.chance(0.7)
        ? { op: 'put', key, value: `${world.nextTag++}` }
        : { op: 'delete', key };
    });
  }

  private someSpec(): LogSpec {
    const { world } = this;
    return {
      durability: world.pick(DURABILITIES)!,
      retentionMs: world.chance(0.08) ? 50 + world.below(2000) : Infinity,
      retentionBytes: world.chance(0.15) ? 2000 + world.below(8000) : Infinity,
      segmentBytes: 1000 << world.below(5),
    };
  }
}
