import { SeededRandom, randomBelow } from '../../src/base/random.ts';
import type { LogEngine } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';
import type { SimDisk } from './disk.ts';
import { Replay } from './replay.ts';
import { SimClock } from './scheduler.ts';
import type { SimProcess } from './scheduler.ts';
import { SimFileSystem } from './sim-file-system.ts';
import type { DiskFaults } from './sim-file-system.ts';
import type { EngineFactory, World } from './world.ts';

/** An engine in a process of its own on a disk. */
export interface Running {
  readonly process: SimProcess;
  readonly engine: LogEngine;
  readonly replay: Replay;
  /** What a checkpoint makes the state machines do. */
  saveSnapshots: () => void;
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
      writesNow: world.scenario.writesNow,
      tellsBoots: world.scenario.tellsBoots,
      onMisuse: (message) => world.fail(`misuse of the file system: ${message}`),
      onChange: world.trace === null ? null : (what) => world.log(`disk: ${what}`),
    }),
    clock: new SimClock(world.scheduler, process, WALL_ORIGIN_MS + jumpMs),
    random: new SeededRandom(world.seed * 3 + number),
    logger: world.trace === null ? silentLogger : tracingLogger(world),
    limits: world.scenario.limits,
  });
  const replay = new Replay(engine);
  const running: Running = { process, engine, replay, saveSnapshots: () => replay.save() };
  engine.onCheckpoint(() => running.saveSnapshots());
  return running;
}

function tracingLogger(world: World): Logger {
  const line = (level: string) => (event: string, message: string, fields?: LogFields) => {
    const error = fields?.['error'];
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
