import type { Clock } from '../base/clock.ts';
import { AppendPath } from './append-path.ts';
import { journalSourceKey, segmentSourceKey } from './cache/block-cache.ts';
import type { EngineBase } from './engine-base.ts';
import type { LogState } from './index/log-state.ts';
import { Journal } from './journal/journal.ts';
import type { JournalOwner } from './journal/journal.ts';
import { Maintenance } from './maintenance.ts';
import { Checkpointer } from './manifest/checkpointer.ts';
import type { Publisher } from './publisher.ts';
import { ColdReader } from './read/cold-reader.ts';
import { LogReader } from './read/log-reader.ts';
import type { Recovered } from './recovery/recover.ts';
import { Retention } from './retention.ts';
import { APPEND_REFUSED } from './types.ts';
import { Repacker } from './segment/repacker.ts';
import { SegmentBuilder } from './segment/segment-builder.ts';
import { Settler } from './segment/settler.ts';

export interface OpenEngineHooks {
  /** Releases the data folder. */
  readonly unlock: () => Promise<void>;
  readonly journalOwner: JournalOwner;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
  /** Whoever holds something back appends it now. */
  readonly beforeCheckpoint: () => void;
  /** State machines save their snapshots. */
  readonly onCheckpoint: () => void;
  readonly trim: (log: LogState, before: number) => void;
}

/** The parts of a LocalEngine that exist while it is open. */
export class OpenEngine {
  readonly epoch: number;
  readonly journal: Journal;
  readonly appends: AppendPath;
  readonly reader: LogReader;
  readonly checkpointer: Checkpointer;
  readonly settler: Settler;
  readonly repacker: Repacker;
  readonly maintenance: Maintenance;
  readonly unlock: () => Promise<void>;
  private readonly clock: Clock;
  private readonly publisher: Publisher;
  private notifyScheduled: boolean;
  private readonly notifyLater: () => void;

  constructor(base: EngineBase, recovered: Recovered, hooks: OpenEngineHooks) {
    const { clock, logger, limits, table, cache, blocks, files, segments, publisher } = base;
    this.epoch = recovered.epoch;
    this.unlock = hooks.unlock;
    this.clock = clock;
    this.publisher = publisher;
    this.notifyScheduled = false;
    this.notifyLater = () => {
      this.notifyScheduled = false;
      publisher.notify();
    };
    this.journal = new Journal({
      clock,
      files,
      cache,
      incarnation: recovered.incarnation,
      fileNumber: recovered.nextFileNumber,
      sequence: recovered.sequence,
      journalFileBytes: limits.journalFileBytes,
      groupBytes: limits.groupBytes,
      writeNowBytes: limits.writeNowBytes,
      owner: hooks.journalOwner,
    });
    this.appends = new AppendPath({
      table,
      journal: this.journal,
      runBytesMax: limits.runBytesMax,
      memoryLogBytes: limits.memoryLogBytes,
      onMemoryAppend: (log) => {
        publisher.advance(log);
        this.scheduleNotify();
      },
    });
    const { onDamage } = hooks;
    const cold = new ColdReader({
      blocks,
      budget: base.readBudget,
      cache,
      journalFiles: files,
      segments,
      logger,
      onDamage,
      closed: () => this.appends.refusal === APPEND_REFUSED.closed,
    });
    this.reader = new LogReader({ cache, cold });
    this.checkpointer = this.newCheckpointer(base, recovered, hooks);
    const moving = { ...this.movers(base, recovered), onDamage };
    this.settler = new Settler({ ...moving, journalFiles: files });
    this.repacker = new Repacker(moving);
    this.maintenance = new Maintenance({
      clock,
      logger,
      limits,
      journal: this.journal,
      files,
      checkpointer: this.checkpointer,
      settler: this.settler,
      repacker: this.repacker,
      retention: new Retention({ clock, table, journalFiles: files, segments, trim: hooks.trim }),
      ladder: base.ladder,
      replayedBytes: recovered.replayedBytes,
      changed: () => this.journal.sequence !== this.checkpointer.sequence || table.changed,
    });
  }

  /** Watchers of logs are told in a later turn. */
  scheduleNotify(): void {
    if (this.notifyScheduled) return;
    this.notifyScheduled = true;
    this.clock.defer(this.notifyLater);
  }

  private newCheckpointer(
    base: EngineBase,
    recovered: Recovered,
    { beforeCheckpoint, onCheckpoint }: Pick<OpenEngineHooks, 'beforeCheckpoint' | 'onCheckpoint'>,
  ): Checkpointer {
    const { clock, logger, files, segments, table, metaState, snapshots, manifest, blocks } = base;
    const { incarnation, epoch, bootId, nextFileNumber: openFile, start } = recovered;
    const clusterId = recovered.clusterId.toString('hex');
    return new Checkpointer({
      clock,
      logger,
      journal: this.journal,
      files,
      segments,
      table,
      metaState,
      snapshots,
      manifest,
      identity: { clusterId, incarnation, epoch, bootId, openFile },
      start,
      beforeCheckpoint,
      onCheckpoint,
      onFileFreed: (file) => {
        const isJournal = 'journal' in file;
        blocks.forget(isJournal ? journalSourceKey(file.journal) : segmentSourceKey(file.segment));
      },
    });
  }

  /** What settling and repacking need. */
  private movers(base: EngineBase, recovered: Recovered) {
    const { fileSystem, clock, logger, folder, table, segments, trimmer } = base;
    const { clusterId } = recovered;
    const aborted = (): boolean => this.maintenance.aborted;
    const files = { fileSystem, clock, logger, folder, clusterId, segments, aborted };
    return { clock, logger, table, segments, trimmer, builder: new SegmentBuilder(files) };
  }
}
