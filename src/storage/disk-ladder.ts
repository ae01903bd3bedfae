import type { Random } from '../base/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FileSystem } from './file-system.ts';
import type { DiskState } from './types.ts';

export interface DiskLadderOptions {
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
  readonly random: Random;
  readonly folder: string;
  /** Shares of the disk in use from which on the state holds. */
  readonly warn: number;
  readonly shrink: number;
  readonly alarm: number;
  readonly blocked: number;
  readonly reservedBytes: number;
  readonly onState: (state: DiskState) => void;
}

const STATES: readonly DiskState[] = ['ok', 'warn', 'shrink', 'alarm', 'blocked'];
/** A state is left this much below where it is entered, so that it does not flap. */
const HYSTERESIS = 0.01;
const CHUNK_BYTES = 1 << 20;

/** Watches how full the disk is, and keeps a file that can be given up to write what must be written anyway. */
export class DiskLadder {
  private readonly options: DiskLadderOptions;
  private current: DiskState;
  private reserved: boolean;
  totalBytes: number;
  freeBytes: number;

  constructor(options: DiskLadderOptions) {
    this.options = options;
    this.current = 'ok';
    this.reserved = false;
    this.totalBytes = 0;
    this.freeBytes = 0;
  }

  get state(): DiskState {
    return this.current;
  }

  /** Bytes that have to become free for the state to fall below 'shrink'. */
  get bytesOverShrink(): number {
    const used = this.totalBytes - this.freeBytes;
    return Math.max(0, used - (this.options.shrink - HYSTERESIS) * this.totalBytes);
  }

  /** Looks at the disk and tells when the state changed. */
  async check(): Promise<void> {
    const { fileSystem, folder } = this.options;
    const { totalBytes, freeBytes } = await fileSystem.space(folder);
    this.totalBytes = totalBytes;
    this.freeBytes = freeBytes;
    const used = totalBytes > 0 ? 1 - freeBytes / totalBytes : 0;
    this.move(this.stateFor(used), used);
    if (this.current !== 'blocked' && this.current !== 'alarm' && !this.reserved)
      await this.reserve();
  }

  /** The disk refused a write. Gives up the reserved file; resolves with whether that made room. */
  async giveUpReserve(): Promise<boolean> {
    this.move('blocked', 1);
    const { fileSystem, logger } = this.options;
    if (!(await fileSystem.exists(this.reservePath))) return false;
    await fileSystem.remove(this.reservePath);
    this.reserved = false;
    logger.warn('disk.reserve', 'the disk is full: the reserved file was given up');
    return true;
  }

  private get reservePath(): string {
    return `${this.options.folder}/reserved`;
  }

  private stateFor(used: number): DiskState {
    const { warn, shrink, alarm, blocked } = this.options;
    const marks = [0, warn, shrink, alarm, blocked];
    const now = STATES.indexOf(this.current);
    let state = 0;
    for (let i = 1; i < marks.length; i++) {
      const mark = i <= now ? marks[i]! - HYSTERESIS : marks[i]!;
      if (used >= mark) state = i;
    }
    return STATES[state]!;
  }

  private move(state: DiskState, used: number): void {
    if (state === this.current) return;
    const before = this.current;
    this.current = state;
    const percent = Math.round(used * 100);
    const { folder, logger } = this.options;
    const facts = { folder, before, state, percent, freeBytes: this.freeBytes };
    const worse = STATES.indexOf(state) > STATES.indexOf(before);
    const message = `the disk of the data folder is ${percent} % full`;
    if (worse) logger.warn('disk.state', message, facts);
    else logger.info('disk.state', message, facts);
    this.options.onState(state);
  }

  /** Makes the reserved file. Its bytes are random: file systems that compress would not reserve zeros. */
  private async reserve(): Promise<void> {
    const { fileSystem, random, reservedBytes, logger } = this.options;
    this.reserved = true;
    if (reservedBytes === 0) return;
    const handle = await fileSystem.open(this.reservePath, { create: true });
    try {
      if ((await handle.size()) >= reservedBytes) return;
      const chunk = random.bytes(Math.min(CHUNK_BYTES, reservedBytes));
      for (let at = 0; at < reservedBytes; at += chunk.length) await handle.write([chunk], at);
      await handle.sync();
    } catch (error) {
      this.reserved = false;
      logger.warn('disk.reserve', 'the reserved file could not be made', { error });
    } finally {
      await handle.close();
    }
  }
}
