import type { LyrebirdError } from '../../src/base/errors.ts';
import { Clients } from './clients.ts';
import type { CrashKind } from './disk.ts';
import { checkIdentity, checkRecovery, fingerprint } from './recovery-checks.ts';
import { NO_FAULTS } from './sim-file-system.ts';
import type { DiskFaults } from './sim-file-system.ts';
import { startProcess } from './sim-process.ts';
import type { Running } from './sim-process.ts';
import { act } from './workload.ts';
import { World } from './world.ts';
import type { EngineFactory } from './world.ts';

export interface SimulationResult {
  readonly seed: number;
  /** What went wrong first, or null. */
  readonly violation: string | null;
  /** Events that ran. */
  readonly steps: number;
  /** Virtual time. */
  readonly virtualMs: number;
  readonly counters: Readonly<Record<string, number>>;
  /** When asked for: what happened, oldest first. */
  readonly trace: readonly string[];
}

const STEPS_MAX = 50_000;
const OPEN_ATTEMPTS_MAX = 20;
const ROOMLESS_ATTEMPTS = 5;
const ROOM_BYTES = 64 << 10;

/** Tells the history of one seed and checks it. The same seed and engine give the same history. */
export async function simulate(
  seed: number,
  factory: EngineFactory,
  options: { trace?: boolean } = {},
): Promise<SimulationResult> {
  const world = new World(seed, { trace: options.trace ?? false });
  const simulation = new Simulation(world, factory);
  try {
    await simulation.run();
  } catch (error) {
    world.fail(`the simulation threw ${(error as Error).stack}`);
  }
  world.process.alive = false;
  return {
    seed,
    violation: world.violation?.message ?? null,
    steps: world.scheduler.steps,
    virtualMs: world.scheduler.nowMs,
    counters: world.counters,
    trace: world.trace ?? [],
  };
}

class Simulation {
  private readonly world: World;
  private readonly factory: EngineFactory;
  private processes = 0;
  /** The worst that happened to the disk since an engine was last found to be right. */
  private crash: CrashKind = 'kill';

  constructor(world: World, factory: EngineFactory) {
    this.world = world;
    this.factory = factory;
  }

  async run(): Promise<void> {
    const { world } = this;
    const { incarnations, faults, flipsBits } = world.scenario;
    for (let i = 0; i < incarnations; i++) {
      const running = await this.open(i === 0 ? NO_FAULTS : faults);
      if (running === null || world.damaged) return;
      const clients = new Clients(world, running);
      await this.work(clients);
      await this.end(running, clients, { flip: flipsBits && i === incarnations - 1 });
      if (world.violation !== null) return;
    }
    const last = await this.open(NO_FAULTS);
    if (last === null || world.damaged) return;
    const clients = new Clients(world, last);
    await this.work(clients, { faultless: true });
    await this.drain(last, clients);
    if (world.violation !== null) return;
    await this.open(NO_FAULTS);
  }

  /** Opens an engine, through crashes and errors on the way, and checks what it recovered. */
  private async open(faults: DiskFaults): Promise<Running | null> {
    const { world } = this;
    if (world.chance(0.15) && !world.damaged) await this.recoverOnCopies();
    for (let attempt = 1; world.violation === null; attempt++) {
      if (attempt === OPEN_ATTEMPTS_MAX) world.fail('the engine cannot be opened');
      // Somebody makes room on a disk on which not even a start is possible.
      if (attempt > ROOMLESS_ATTEMPTS) world.disk.capacityBytes += ROOM_BYTES;
      const running = this.start(attempt > 3 ? NO_FAULTS : faults);
      const outcome = track(running.engine.open(running.replay));
      const crashAfter = world.chance(0.15) ? world.scheduler.steps + world.below(60) : Infinity;
      await this.until(() => outcome.done || world.scheduler.steps >= crashAfter, 'open');
      if (!outcome.done) {
        world.log('crash while opening');
        world.count('crashes while opening');
        this.kill(running, world.chance(0.5) ? 'power' : 'kill');
        continue;
      }
      if (outcome.error !== null) {
        this.judgeOpenError(outcome.error, faults);
        await this.abandon(running);
        if (world.damaged) return null;
        continue;
      }
      world.check(checkIdentity(world, outcome.value!));
      const checked = track(checkRecovery(world, running, this.crash));
      await this.until(() => checked.done, 'verification');
      if (checked.error !== null) throw checked.error;
      this.crash = 'kill';
      return running;
    }
    return null;
  }

  private judgeOpenError(error: Error, faults: DiskFaults): void {
    const { world } = this;
    const { code } = error as Partial<LyrebirdError>;
    world.log(`open failed: ${error.message}`);
    world.count('failed opens');
    if (world.damaged) {
      if (code === undefined) world.fail(`damage made open fail with ${error.stack}`);
      return;
    }
    const faulty = faults.write + faults.sync + faults.read + faults.names > 0;
    if (!faulty && !world.scenario.shortOfSpace) world.fail(`open failed: ${error.stack}`);
  }

  /** Recovers copies of the disk in two other processes: both must show the same. */
  private async recoverOnCopies(): Promise<void> {
    const { world } = this;
    const shown: string[] = [];
    world.count('double recoveries');
    for (let i = 0; i < 2; i++) {
      const disk = world.disk.clone();
      const number = this.processes + 1;
      const running = startProcess(world, this.factory, { disk, faults: NO_FAULTS, number });
      const opened = track(
        running.engine.open(running.replay).then(() => fingerprint(world, running)),
      );
      await this.until(() => opened.done, 'recovery of a copy');
      running.process.alive = false;
      shown.push(opened.error === null ? opened.value! : opened.error.message);
    }
    world.check(firstDifference(shown[0]!, shown[1]!));
  }

  private start(faults: DiskFaults): Running {
    const { world } = this;
    const number = ++this.processes;
    const running = startProcess(world, this.factory, { disk: world.disk, faults, number });
    world.process = running.process;
    world.count('starts');
    return running;
  }

  private async work(clients: Clients, options: { faultless?: boolean } = {}): Promise<void> {
    const { world } = this;
    const actions = 1 + world.below(world.scenario.actionsPerIncarnation);
    let done = 0;
    const next = (): void => {
      // Several actions in one turn share a group.
      do {
        act(clients);
        done++;
      } while (done < actions && world.chance(0.4));
      if (done < actions && !clients.failed) {
        world.scheduler.schedule(world.chance(0.1) ? 50 : world.below(20) / 10, null, next);
      } else done = actions;
    };
    world.scheduler.schedule(0, null, next);
    await this.until(() => done >= actions || world.violation !== null, 'work');
    if (options.faultless === true || (!clients.failed && world.chance(0.2))) {
      await this.quiesce(clients);
    }
  }

  /** Whoever waits is told in the end, without anything more happening. */
  private async quiesce(clients: Clients): Promise<void> {
    await this.until(() => clients.isQuiet(), 'the commit of everything');
    await this.steps(20);
    if (this.world.violation !== null || clients.mayFail()) return;
    clients.checkQuiet();
    this.world.check(this.world.meta.compare(clients.engine));
  }

  private async end(running: Running, clients: Clients, options: { flip: boolean }): Promise<void> {
    const { world } = this;
    if (world.violation !== null) return;
    const luck = world.random.float();
    if (luck < 0.1 && !clients.failed) await this.drain(running, clients);
    else if (luck < 0.2) await this.abort(running, clients);
    else {
      await this.steps(world.below(40));
    }
    this.kill(running, world.chance(0.6) ? 'power' : 'kill');
    if (!options.flip) return;
    for (let i = 1 + world.below(3); i > 0; i--) {
      const path = world.disk.flipBit(world.diskRandom);
      if (path === null) continue;
      world.damaged = true;
      world.log(`a bit of ${path} flipped`);
    }
  }

  private async drain(running: Running, clients: Clients): Promise<void> {
    const { world } = this;
    world.log('close: drain');
    world.count('drains');
    clients.close();
    const before = clients.told.failures;
    const closed = track(running.engine.close('drain'));
    const crashes = world.chance(0.2);
    const last = crashes ? world.scheduler.steps + world.below(30) : Infinity;
    await this.until(() => closed.done || world.scheduler.steps >= last, 'close');
    if (!closed.done) return this.kill(running, world.chance(0.5) ? 'power' : 'kill');
    if (closed.error !== null) world.fail(`close failed: ${closed.error.stack}`);
    await this.until(() => clients.waiting === 0, 'an answer to everybody after close');
    const lostSome = clients.told.failures > before;
    if (lostSome && !clients.failed && !clients.mayFail()) {
      world.fail('drain left something uncommitted');
    }
    this.kill(running, 'kill');
  }

  private async abort(running: Running, clients: Clients): Promise<void> {
    const { world } = this;
    world.log('close: abort');
    world.count('aborts');
    clients.close();
    const closed = track(running.engine.close('abort'));
    await this.until(() => closed.done, 'close');
    if (closed.error !== null) world.fail(`close failed: ${closed.error.stack}`);
    await this.until(() => clients.waiting === 0, 'an answer to everybody after close');
  }

  /** An engine that did not open is closed, as its owner would do, and its process ends. */
  private async abandon(running: Running): Promise<void> {
    const closed = track(running.engine.close('abort'));
    await this.until(() => closed.done, 'close');
    this.kill(running, 'kill');
  }

  private kill(running: Running, kind: CrashKind): void {
    const { world } = this;
    this.countWork(running);
    running.process.alive = false;
    world.disk.crash(kind, world.diskRandom);
    if (kind === 'power') this.crash = kind;
    world.count(kind === 'power' ? 'power losses' : 'kills');
    world.log(`--- ${kind} ---`);
  }

  /** Shows in the summary that the engine's background work is part of the histories. */
  private countWork(running: Running): void {
    const { settledBytes, repackedBytes, pacedMsTotal } = running.engine.stats();
    if (settledBytes > 0) this.world.count('engines that settled');
    if (repackedBytes > 0) this.world.count('engines that repacked');
    if (pacedMsTotal > 0) this.world.count('engines that held commits back');
  }

  /** Lets some more events happen, as far as there are any. */
  private async steps(count: number): Promise<void> {
    const { world } = this;
    await world.scheduler.runUntil(() => world.violation !== null, count);
  }

  private async until(done: () => boolean, what: string): Promise<void> {
    const { world } = this;
    const finished = await world.scheduler.runUntil(
      () => done() || world.violation !== null,
      STEPS_MAX,
    );
    if (!finished) world.fail(`stuck: ${what} did not come about`);
  }
}

function firstDifference(a: string, b: string): string | null {
  if (a === b) return null;
  const [left, right] = [a.split('\n'), b.split('\n')];
  let line = 0;
  while (left[line] === right[line]) line++;
  return `two recoveries of the same bytes differ: ${left[line]} or ${right[line]}`;
}

interface Tracked<T> {
  done: boolean;
  value: T | null;
  error: Error | null;
}

/** A promise whose state can be looked at. */
function track<T>(promise: Promise<T>): Tracked<T> {
  const tracked: Tracked<T> = { done: false, value: null, error: null };
  promise.then(
    (value) => {
      tracked.value = value;
      tracked.done = true;
    },
    (error: Error) => {
      tracked.error = error;
      tracked.done = true;
    },
  );
  return tracked;
}
