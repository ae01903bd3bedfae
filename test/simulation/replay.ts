import type { LogEngine, LogId, ReplayVisitor } from '../../src/storage/types.ts';

/**
 * The state of a log's state machine: how many notes it has seen, and the end of the batches it has seen. That is
 * enough to notice what is lost, repeated or out of order.
 */
export interface MachineState {
  readonly notes: number;
  readonly end: number;
}

const STATE_BYTES = 12;
const NOTHING: MachineState = { notes: 0, end: 0 };

export function saveState(engine: LogEngine, log: LogId, state: MachineState): void {
  const bytes = Buffer.alloc(STATE_BYTES);
  bytes.writeUInt32BE(state.notes, 0);
  bytes.writeBigInt64BE(BigInt(state.end), 4);
  engine.snapshots.save(log, bytes);
}

/** What a start gives the state machines: snapshots, and what is replayed on top. */
export class Replay implements ReplayVisitor {
  private readonly engine: LogEngine;
  private readonly bases = new Map<LogId, MachineState>();
  private readonly noteNumbers = new Map<LogId, number[]>();
  private readonly batchPieces = new Map<LogId, Buffer[]>();

  constructor(engine: LogEngine) {
    this.engine = engine;
  }

  onBatches(log: LogId, buffer: Buffer, start: number, end: number): void {
    this.base(log);
    const pieces = this.batchPieces.get(log) ?? [];
    pieces.push(Buffer.from(buffer.subarray(start, end)));
    this.batchPieces.set(log, pieces);
  }

  onNote(log: LogId, note: Buffer): void {
    this.base(log);
    const numbers = this.noteNumbers.get(log) ?? [];
    numbers.push(note.readUInt32BE(0));
    this.noteNumbers.set(log, numbers);
  }

  /** What the snapshot covers that this start found. */
  base(log: LogId): MachineState {
    let base = this.bases.get(log);
    if (base === undefined) {
      const bytes = this.engine.snapshots.load(log);
      base =
        bytes === null
          ? NOTHING
          : { notes: bytes.readUInt32BE(0), end: Number(bytes.readBigInt64BE(4)) };
      this.bases.set(log, base);
    }
    return base;
  }

  /** Numbers of the replayed notes, in order. */
  notes(log: LogId): readonly number[] {
    return this.noteNumbers.get(log) ?? [];
  }

  /** Copies of the replayed batches, in order; each piece holds one or several. */
  batches(log: LogId): readonly Buffer[] {
    return this.batchPieces.get(log) ?? [];
  }

  /** A checkpoint before anything was done with the engine. */
  save(): void {
    for (const { id, spec, bounds } of this.engine.logs()) {
      if (spec.durability === 'memory') continue;
      const notes = this.base(id).notes + this.notes(id).length;
      saveState(this.engine, id, { notes, end: bounds.pendingEnd });
    }
  }
}
