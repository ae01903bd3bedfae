import type { Clock, Timer } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DiskLadder } from './disk-ladder.ts';
import type { JournalFile, JournalFiles } from './journal/journal-files.ts';
import { locationFile } from './journal/format.ts';
import type { Journal } from './journal/journal.ts';
import type { LocalEngineLimits } from './local-engine-options.ts';
import type { Checkpointer } from './manifest/checkpointer.ts';
import type { Retention } from './retention.ts';
import type { SettledFiles, Settler } from './segment/settler.ts';

export interface MaintenanceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: LocalEngineLimits;
  readonly journal: Journal;
  readonly files: JournalFiles;
  readonly checkpointer: Checkpointer;
  readonly settler: Settler;
  readonly retention: Retention;
  readonly ladder: DiskLadder;
  /** Anything to write down since the last checkpoint? */
  readonly changed: () => boolean;
}

/** Journal files settled in one go. */
const SETTLE_FILES_MAX = 4;
/** Memory of one index entry. */
const RUN_BYTES = 48;
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
  private settled: SettledFiles | null;
  private closed: boolean;
  private bytesAtCheckpoint: number;

  constructor(options: MaintenanceOptions) {
    this.options = options;
    this.queue = [];
    this.timers = new Map();
    this.running = null;
    this.copying = null;
    this.settled = null;
    this.closed = false;
    this.bytesAtCheckpoint = 0;
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
    const written = this.options.journal.stats.writtenBytes - this.bytesAtCheckpoint;
    if (written >= this.options.limits.checkpointBytes) this.request('checkpoint');
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
        await this.publishSettled();
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

  /** Begins to settle what has to be settled, unless that goes on already. */
  private startSettling(): void {
    const through = this.settleThrough();
    if (through === null || this.copying !== null || this.settled !== null || this.closed) return;
    this.copying = this.copy(through);
  }

  private async copy(through: number): Promise<void> {
    try {
      this.settled = await this.options.settler.copy(through);
      this.request('publish');
    } catch (error) {
      // Tried again after the next checkpoint.
      if (!this.closed) {
        this.options.logger.error('storage.settle', 'settling failed', { through, error });
      }
    }
    this.copying = null;
  }

  private async publishSettled(): Promise<void> {
    const { settler } = this.options;
    const { settled } = this;
    this.settled = null;
    if (settled !== null) settler.publish(settled);
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
    this.startSettling();
  }

  /** The newest of the journal files that have to be settled, or null when none has. */
  private settleThrough(): number | null {
    const { files, limits, checkpointer, clock } = this.options;
    let bytes = 0;
    let runs = 0;
    for (const file of files.list()) {
      if (!isDense(file)) bytes += file.end;
      runs += file.runs;
    }
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
