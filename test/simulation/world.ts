import { SeededRandom, randomBelow } from '../../src/base/random.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Random } from '../../src/base/random.ts';
import type { FileSystem } from '../../src/storage/file-system.ts';
import type { LocalEngineLimits } from '../../src/storage/local-engine-options.ts';
import type { Identity, LogEngine, LogId } from '../../src/storage/types.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { SimDisk } from './disk.ts';
import type { LogModel } from './log-model.ts';
import { MetaModel } from './meta-model.ts';
import { Scheduler } from './scheduler.ts';
import type { SimProcess } from './scheduler.ts';
import { NO_FAULTS } from './sim-file-system.ts';
import type { DiskFaults } from './sim-file-system.ts';

/** What a simulated process gives its engine. */
export interface EngineEnvironment {
  readonly folder: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: Partial<LocalEngineLimits>;
}

export type EngineFactory = (environment: EngineEnvironment) => LogEngine;

/** What kind of history a seed tells. */
export interface Scenario {
  readonly limits: Partial<LocalEngineLimits>;
  readonly faults: DiskFaults;
  readonly capacityBytes: number;
  readonly shortOfSpace: boolean;
  /** The disk's handles write within the turn when asked to. */
  readonly writesNow: boolean;
  /** The system tells one start of the machine from another. */
  readonly tellsBoots: boolean;
  /** Bits of stored files flip at the last crash. */
  readonly flipsBits: boolean;
  readonly incarnations: number;
  readonly actionsPerIncarnation: number;
}

/** The first thing that went wrong. */
export class Violation extends Error {}

const KIB = 1024;
const PLENTY_BYTES = 1 << 30;

/** Everything of one history: the seed's random streams, the disk, what must be true. */
export class World {
  readonly seed: number;
  /** Decides the workload; the disk and the engine have streams of their own, so that each can be changed alone. */
  readonly random: Random;
  readonly diskRandom: Random;
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly disk: SimDisk;
  readonly meta: MetaModel;
  readonly logs: Map<LogId, LogModel>;
  /** Lines of the newest steps, when somebody wants to see them. */
  readonly trace: string[] | null;
  violation: Violation | null;
  /** Stored bits have flipped: anything may be lost, nothing may be wrong. */
  damaged: boolean;
  process: SimProcess;
  nextTag: number;
  /** Largest id of a log that certainly existed: no later one may have it. */
  newestLogId: LogId;
  lastPosition: number;
  /** Of the newest start, and the epoch of its logs. */
  identity: Identity | null;
  epoch: number;
  /** Things the seed did, for the summary. */
  readonly counters: Record<string, number>;

  constructor(seed: number, options: { trace: boolean }) {
    this.seed = seed;
    this.random = new SeededRandom(seed * 3 + 1);
    this.diskRandom = new SeededRandom(seed * 3 + 2);
    this.scenario = chooseScenario(this.random);
    this.scheduler = new Scheduler();
    this.disk = new SimDisk(this.scenario.capacityBytes);
    this.meta = new MetaModel();
    this.logs = new Map();
    this.trace = options.trace ? [] : null;
    this.violation = null;
    this.damaged = false;
    this.process = { number: 0, alive: false };
    this.nextTag = 1;
    this.newestLogId = 0;
    this.lastPosition = 0;
    this.identity = null;
    this.epoch = 0;
    this.counters = {};
  }

  /** Notes what went wrong; engines catch what their listeners throw, so this does not throw. */
  fail(message: string): void {
    if (this.violation !== null) return;
    this.violation = new Violation(message);
    this.log(`VIOLATION ${message}`);
  }

  /** Fails when there is a message. */
  check(problem: string | null): void {
    if (problem !== null) this.fail(problem);
  }

  log(line: string): void {
    this.trace?.push(`${this.scheduler.nowMs.toFixed(3)} p${this.process.number} ${line}`);
  }

  count(what: string): void {
    this.counters[what] = (this.counters[what] ?? 0) + 1;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return randomBelow(this.random, limit);
  }

  chance(probability: number): boolean {
    return this.random.float() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.below(items.length)];
  }
}

function chooseScenario(random: Random): Scenario {
  const below = (limit: number): number => randomBelow(random, limit);
  const kind = random.float();
  const shortOfSpace = kind >= 0.8 && kind < 0.87;
  const flipsBits = kind >= 0.87 && kind < 0.95;
  const faulty = kind >= 0.95 || shortOfSpace;
  const journalFileBytes = (4 + below(5) * 6) * KIB;
  return {
    limits: {
      journalFileBytes,
      journalBytes: journalFileBytes * (1 + below(5)),
      indexBytesMax: random.float() < 0.2 ? 2 * KIB : 1 << 20,
      groupBytes: (1 + below(16)) * KIB,
      runBytesMax: 256 << below(7),
      cacheBytes: random.float() < 0.5 ? 16 * KIB : 1 << 20,
      blockCacheBytes: (8 + below(4) * 24) * KIB,
      blockBytes: 512 << below(7),
      pendingBytesMax: (8 + below(100)) * KIB,
      memoryLogBytes: (8 + below(100)) * KIB,
      checkpointBytes: (2 + below(40)) * KIB,
      checkpointMs: 5 + below(500),
      recycledFilesMax: below(3),
      writeNowBytes: 200 << below(8),
      diskCheckMs: 20 + below(100),
      reservedBytes: 4 * KIB,
      retentionCheckMs: 20 + below(100),
    },
    faults: faulty ? chooseFaults(random) : NO_FAULTS,
    capacityBytes: shortOfSpace ? (100 + below(300)) * KIB : PLENTY_BYTES,
    shortOfSpace,
    writesNow: random.float() < 0.6,
    tellsBoots: random.float() < 0.5,
    flipsBits,
    incarnations: 2 + below(4),
    actionsPerIncarnation: 10 + below(50),
  };
}

function chooseFaults(random: Random): DiskFaults {
  const rate = (): number => (random.float() < 0.5 ? 0 : random.float() * 0.03);
  return { write: rate(), sync: rate(), read: rate(), names: rate(), slow: 0.02 };
}
