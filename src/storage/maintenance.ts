import type { Clock, Timer } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DiskLadder } from './disk-ladder.ts';
import type { JournalFile, JournalFiles } from './journal/journal-files.ts';
import { locationFile } from './journal/format.ts';
import type { Journal } from './journal/journal.ts';
import type { LocalEngineLimits } from './local-engine-options.ts';
import type { Checkpointer } from './manifest/checkpointer.ts';
import type { Retention } from './retention.ts';
import type { Repacker } from './segment/repacker.ts';
import type { Settler } from './segment/settler.ts';
import { RUN_BYTES } from './index/run-index.ts';

export interface MaintenanceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: LocalEngineLimits;
  readonly journal: Journal;
  readonly files: JournalFiles;
  readonly checkpointer: Checkpointer;
  readonly settler: Settler;
  readonly repacker: Repacker;
  readonly retention: Retention;
  readonly ladder: DiskLadder;
  /** Journal that this start replayed. It counts towards the next checkpoint, or a crash loop would replay more and more. */
  readonly replayedBytes: number;
  /** Anything to write down since the last checkpoint? */
  readonly changed: () => boolean;
}

/** Journal files settled in one go. */
const SETTLE_FILES_MAX = 4;
/**
 * Where settling lags behind: commits are delayed from the first multiple of the journal's limits on, more and more,
 * and stop at the second.
 */
const PACE_FROM = 1.5;
const PACE_STOP = 2;
/** Delay of each write half-way between the two. */
const PACE_MS = 20;
/** How far the journal grows between two looks at that. */
const PACE_CHECK_BYTES = 1 << 20;
/** A journal file whose runs are this long on average reads as well as a segment would. */
const DENSE_RUN_BYTES = 32 << 10;
/** And while it is mostly alive, there is no space to win by copying it. */
const DENSE_LIVE_SHARE = 0.5;

type Job = 'checkpoint' | 'publish' | 'retention' | 'disk';

/**
 * The engine's background work, one job after the other. Only settling copies beside them: it takes long, and
 * checkpoints bound what the next start has to replay.
 */
export class Maintenance {
  private readonly options: MaintenanceOptions;
  private readonly queue: Job[];
  private readonly timers: Map<Job, Timer>;
  private running: Promise<void> | null;
  private copying: Promise<void> | null;
  /** Lets logs refer to what was copied. */
  private publishCopied: (() => void) | null;
  /** The last settling failed: nobody is held back for its sake. */
  private settlingFailed: boolean;
  private closed: boolean;
  private bytesAtCheckpoint: number;
  private bytesAtPaceCheck: number;

  constructor(options: MaintenanceOptions) {
    this.options = options;
    this.queue = [];
    this.timers = new Map();
    this.running = null;
    this.copying = null;
    this.publishCopied = null;
    this.settlingFailed = false;
    this.closed = false;
    this.bytesAtCheckpoint = -options.replayedBytes;
    this.bytesAtPaceCheck = 0;
  }

  get aborted(): boolean {
    return this.closed;
  }

  start(): void {
    this.schedule('checkpoint');
    this.schedule('retention');
    this.request('disk');
    this.schedule('disk');
  }

  /** To be called as the journal grows. */
  journalGrew(): void {
    const { journal, limits } = this.options;
    const { writtenBytes } = journal.stats;
    if (writtenBytes - this.bytesAtCheckpoint >= limits.checkpointBytes) this.request('checkpoint');
    if (
      writtenBytes - this.bytesAtPaceCheck >=
      Math.min(PACE_CHECK_BYTES, limits.journalBytes / 8)
    ) {
      this.bytesAtPaceCheck = writtenBytes;
      this.setPace();
    }
  }

  /** Runs the job soon, once, however often it is asked for. */
  request(job: Job): void {
    if (this.closed || this.queue.includes(job)) return;
    this.queue.push(job);
    this.running ??= this.drainQueue();
  }

  /** Starts nothing any more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
    this.queue.length = 0;
    this.options.journal.pace(0);
    await this.copying;
    await this.running;
  }

  private schedule(job: Job): void {
    const { limits, clock } = this.options;
    const delays = {
      checkpoint: limits.checkpointMs,
      publish: limits.checkpointMs,
      retention: limits.retentionCheckMs,
      disk: limits.diskCheckMs,
    };
    const timer = clock.setTimer(delays[job], () => {
      if (job !== 'checkpoint' || this.options.changed()) this.request(job);
      this.schedule(job);
    });
    this.timers.set(job, timer);
  }

  private async drainQueue(): Promise<void> {
    for (;;) {
      const job = this.queue.shift();
      if (job === undefined) break;
      try {
        await this.run(job);
      } catch (error) {
        // Tried again with the next timer; what must not go on writing was told so by the journal.
        if (!this.closed) {
          this.options.logger.error('storage.maintenance', `${job} failed`, { job, error });
        }
      }
    }
    this.running = null;
  }

  private async run(job: Job): Promise<void> {
    const { retention, ladder } = this.options;
    switch (job) {
      case 'checkpoint':
        await this.checkpoint();
        break;
      case 'publish':
        await this.publish();
        break;
      case 'retention':
        await retention.check();
        break;
      case 'disk':
        await ladder.check();
        if (ladder.state !== 'ok' && ladder.state !== 'warn') this.shrink();
        break;
    }
  }

  /** Begins to settle what has to be settled, or to repack what is worth it, unless that goes on already. */
  private startCopying(): void {
    if (this.copying !== null || this.publishCopied !== null || this.closed) return;
    const { settler, repacker } = this.options;
    const through = this.settleThrough();
    if (through !== null) {
      this.copying = this.copy('settling', async () => {
        const settled = await settler.copy(through);
        return () => settler.publish(settled);
      });
      return;
    }
    const files = repacker.candidates();
    if (files.length === 0) return;
    this.copying = this.copy('repacking', async () => {
      const repacked = await repacker.copy(files);
      return () => repacker.publish(repacked);
    });
  }

  private async copy(
    what: 'settling' | 'repacking',
    work: () => Promise<() => void>,
  ): Promise<void> {
    try {
      this.publishCopied = await work();
      this.settlingFailed = false;
      this.request('publish');
    } catch (error) {
      // Tried again after the next checkpoint.
      this.settlingFailed = what === 'settling';
      if (!this.closed) this.options.logger.error('storage.settle', `${what} failed`, { error });
    }
    this.copying = null;
    this.setPace();
  }

  private async publish(): Promise<void> {
    const { publishCopied } = this;
    this.publishCopied = null;
    publishCopied?.();
    await this.checkpoint();
  }

  private async checkpoint(): Promise<void> {
    const { checkpointer, journal, ladder } = this.options;
    this.bytesAtCheckpoint = journal.stats.writtenBytes;
    try {
      await checkpointer.take({ drained: false });
    } catch (error) {
      // Files are freed by checkpoints only: a full disk must not keep them from being taken.
      const noSpace = (error as NodeJS.ErrnoException).code === 'ENOSPC';
      if (!noSpace || !(await ladder.giveUpReserve())) throw error;
      await checkpointer.take({ drained: false });
    }
    this.startCopying();
    this.setPace();
  }

  /** Holds commits back while the journal outgrows its limits faster than it is settled. */
  private setPace(): void {
    const { journal } = this.options;
    const excess = (this.measure().share - PACE_FROM) / (PACE_STOP - PACE_FROM);
    if (excess <= 0 || this.closed || this.settlingFailed) return journal.pace(0);
    const copying = this.copying !== null || this.publishCopied !== null;
    // Commits wait for nothing else than settling, and that begins with a checkpoint.
    if (!copying && this.settleThrough() === null) return journal.pace(0);
    if (!copying) this.request('checkpoint');
    journal.pace(excess >= 1 ? Infinity : (PACE_MS * excess) / (1 - excess));
  }

  /** What counts against the journal's limits: bytes, runs, and how much of the tighter limit that is. */
  private measure(): { readonly bytes: number; readonly runs: number; readonly share: number } {
    const { files, limits } = this.options;
    let bytes = 0;
    let runs = 0;
    for (const file of files.all()) {
      if (!isDense(file)) bytes += file.end;
      runs += file.runs;
    }
    const share = Math.max(bytes / limits.journalBytes, (runs * RUN_BYTES) / limits.indexBytesMax);
    return { bytes, runs, share };
  }

  /** The newest of the journal files that have to be settled, or null when none has. */
  private settleThrough(): number | null {
    const { files, limits, checkpointer, clock } = this.options;
    let { bytes, runs } = this.measure();
    const bornBeforeMs = clock.wallMs() - limits.journalFileAgeMs;
    const settled = locationFile(checkpointer.location);
    let through: number | null = null;
    let count = 0;
    for (const file of files.list()) {
      if (file.number >= settled || count === SETTLE_FILES_MAX) break;
      const tooLarge = bytes > limits.journalBytes || runs * RUN_BYTES > limits.indexBytesMax;
      if (!tooLarge && file.createdMs >= bornBeforeMs) break;
      through = file.number;
      if (!isDense(file)) bytes -= file.end;
      runs -= file.runs;
      count++;
    }
    return through;
  }

  /** The disk is filling up: the oldest settled data goes before its time. */
  private shrink(): void {
    const { ladder, retention, logger } = this.options;
    const wanted = ladder.bytesOverShrink;
    if (wanted === 0) return;
    const { bytes, logs } = retention.shrink(wanted);
    if (bytes === 0) return;
    const message =
      'the oldest data was trimmed before its retention because the disk is filling up';
    logger.warn('disk.shrink', message, { bytes, logs });
    this.request('checkpoint');
  }
}

/**
 * A file with long runs that is mostly alive is left where it is, however much of it there is: copying it would write
 * everything twice and win nothing (docs/adr/0008-dense-journal-files-stay.md).
 */
function isDense(file: JournalFile): boolean {
  return (
    file.liveBytes >= file.end * DENSE_LIVE_SHARE && file.liveBytes >= file.runs * DENSE_RUN_BYTES
  );
}
