import type { MetaTxn } from '../../src/storage/meta-store.ts';
import { APPEND_REFUSED } from '../../src/storage/types.ts';
import type { CommitListener, Durability, LogEngine, Position } from '../../src/storage/types.ts';
import { ACKED_FSYNC, ACKED_OS } from './log-model.ts';
import type { Acked, LogModel } from './log-model.ts';
import { saveState } from './replay.ts';
import type { Running } from './sim-process.ts';
import type { World } from './world.ts';

/** One process' clients: they wait for answers of an engine and tell the model what was promised. */
export class Clients {
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
  /** Not revoked yet. */
  readonly leases: number[];

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

  usable(): LogModel[] {
    return [...this.world.logs.values()].filter((log) => log.usable);
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

  /** Somebody reads the log as it grows. */
  watch(log: LogModel): void {
    const look = (): void => {
      log.toldEnd = this.engine.bounds(log.id)?.committedEnd ?? log.toldEnd;
    };
    look();
    this.engine.onAdvance(log.id, look);
  }

  /** True when it is a position; else checks that there was a reason to refuse. */
  accepted(position: Position): boolean {
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

  /** The disk of this seed has faults. */
  mayFail(): boolean {
    const { faults, shortOfSpace } = this.world.scenario;
    return shortOfSpace || faults.write + faults.sync + faults.read + faults.names > 0;
  }

  /** Calls done with what was promised once the position is committed. */
  waitFor(position: Position, durability: Durability, done: (acked: Acked) => void): void {
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

  commit(txn: MetaTxn, done: () => void = () => {}): void {
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

  settle<T>(promise: Promise<T>, done: (value: T) => void): void {
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
}
