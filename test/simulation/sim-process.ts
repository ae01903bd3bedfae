import { SeededRandom, randomBelow } from '../../src/base/random.ts';
import type { LogEngine, LogId, ReplayVisitor } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { SimDisk } from './disk.ts';
import { SimClock } from './scheduler.ts';
import type { SimProcess } from './scheduler.ts';
import { SimFileSystem } from './sim-file-system.ts';
import type { DiskFaults } from './sim-file-system.ts';
import type { EngineFactory, World } from './world.ts';

/** What the visitor of a start was told, in order. */
export interface Replay {
  /** Per log, the numbers of its notes. */
  readonly notes: Map<LogId, number[]>;
  /** Per log, copies of its batches: they are checked when it is known what the log is. */
  readonly batches: Map<LogId, Buffer[]>;
}

/** An engine in a process of its own on a disk. */
export interface Running {
  readonly process: SimProcess;
  readonly engine: LogEngine;
  readonly replay: Replay;
}

const FOLDER = '/data';
const WALL_ORIGIN_MS = 1_700_000_000_000;

/** Starts a process with an engine that is not open yet. */
export function startProcess(
  world: World,
  factory: EngineFactory,
  options: { disk: SimDisk; faults: DiskFaults; number: number },
): Running {
  const { disk, faults, number } = options;
  const process: SimProcess = { number, alive: true };
  // The clock of the wall may have been set while nothing ran.
  const jumpMs = randomBelow(world.diskRandom, 10) === 0 ? -3_600_000 : 0;
  const engine = factory({
    folder: FOLDER,
    fileSystem: new SimFileSystem({
      disk,
      scheduler: world.scheduler,
      process,
      random: world.diskRandom,
      faults,
      onMisuse: (message) => world.fail(`misuse of the file system: ${message}`),
    }),
    clock: new SimClock(world.scheduler, process, WALL_ORIGIN_MS + jumpMs),
    random: new SeededRandom(world.seed * 3 + number),
    logger: world.trace === null ? silentLogger : tracingLogger(world),
    limits: world.scenario.limits,
  });
  return { process, engine, replay: { notes: new Map(), batches: new Map() } };
}

/** Collects what a start replays. */
export function replayVisitor(replay: Replay): ReplayVisitor {
  return {
    onBatches: (log, buffer, start, end) => {
      const seen = replay.batches.get(log) ?? [];
      seen.push(Buffer.from(buffer.subarray(start, end)));
      replay.batches.set(log, seen);
    },
    onNote: (log, note) => {
      const seen = replay.notes.get(log) ?? [];
      seen.push(note.readUInt32BE(0));
      replay.notes.set(log, seen);
    },
  };
}

function tracingLogger(world: World): Logger {
  const line = (level: string) => (event: string, message: string, fields?: object) => {
    const error = (fields as { error?: unknown } | undefined)?.error;
    const cause = error instanceof Error ? ` ${error.stack ?? error.message}` : '';
    world.log(`${level} ${event}: ${message} ${JSON.stringify(fields ?? {})}${cause}`);
  };
  const logger: Logger = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: () => logger,
  };
  return logger;
}
