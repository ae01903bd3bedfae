import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { SteppedClock } from '../stepped-clock.ts';
import { buildBatch, parseSlices } from '../record-batches.ts';
import type { ParsedBatch } from '../record-batches.ts';
import type {
  Durability,
  Identity,
  LogEngine,
  LogId,
  LogSpec,
  Position,
  ReadResult,
  ReplayVisitor,
} from '../../../src/storage/types.ts';

/** What an engine of a test may be limited to. */
export interface EngineLimits {
  /** Memory of logs that are not on disk. */
  readonly memoryBytesMax?: number;
}

/** One storage, for which engines can be made one after the other. */
export interface EngineStorage {
  readonly clock: SteppedClock;
  /** A new engine over what is stored; not opened. */
  engine(limits?: EngineLimits): LogEngine;
  /** Removes everything. Engines are closed before. */
  dispose(): Promise<void>;
}

/** A kind of engine that the contract is run against. */
export interface EngineDriver {
  readonly name: string;
  /** What is committed is there after closing and opening again. */
  readonly durable: boolean;
  storage(): Promise<EngineStorage>;
}

export interface Replayed {
  readonly log: LogId;
  readonly kind: 'batches' | 'note';
  readonly values: readonly string[];
}

export const NO_LIMITS: LogSpec = {
  durability: 'fsync',
  retentionMs: Infinity,
  retentionBytes: Infinity,
  segmentBytes: 1 << 20,
};

const READ_ALL = { maxBytes: 1 << 20, atLeastOneBatch: true };

/** An open engine with the shorthands that the tests of the contract are written in. */
export class EngineBench {
  readonly storage: EngineStorage;
  readonly replayed: Replayed[] = [];
  engine: LogEngine;
  identity: Identity | null = null;
  private names = 0;

  private constructor(storage: EngineStorage, limits: EngineLimits) {
    this.storage = storage;
    this.engine = storage.engine(limits);
  }

  /** A bench whose engine is open; everything is closed when the test ends. */
  static async open(
    t: TestContext,
    driver: EngineDriver,
    limits: EngineLimits = {},
  ): Promise<EngineBench> {
    const bench = new EngineBench(await driver.storage(), limits);
    t.after(async () => {
      await bench.engine.close('abort');
      await bench.storage.dispose();
    });
    bench.identity = await bench.engine.open(bench.visitor());
    return bench;
  }

  /** Closes the engine and opens another one over the same storage. */
  async restart(mode: 'drain' | 'abort' = 'drain'): Promise<void> {
    await this.engine.close(mode);
    this.replayed.length = 0;
    this.engine = this.storage.engine();
    this.identity = await this.engine.open(this.visitor());
  }

  async createLog(spec: Partial<LogSpec> = {}): Promise<LogId> {
    const id = await this.engine.allocateLogIds(1);
    const log = { id, name: `test/log-${++this.names}`, spec: { ...NO_LIMITS, ...spec } };
    const { succeeded } = await this.engine.meta.txn({ then: [], createLogs: [log] });
    assert.equal(succeeded, true);
    return id;
  }

  /** Appends one batch. */
  append(log: LogId, values: readonly string[], options: { timestamp?: number } = {}): Position {
    const batch = buildBatch({ values, ...options });
    return this.engine.append(log, 1, batch, 0, batch.length);
  }

  /** Appends one batch and waits until it is committed. */
  async commit(
    log: LogId,
    values: readonly string[],
    options: { timestamp?: number } = {},
  ): Promise<Position> {
    const position = this.append(log, values, options);
    assert.ok(position > 0, `append was refused with ${position}`);
    await this.committed(position, this.engine.spec(log)!.durability);
    return position;
  }

  /** Resolves when the position is committed, rejects when its outcome is unknown. */
  committed(position: Position, durability: Durability = 'fsync'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.engine.whenCommitted(position, durability, {
        onCommitted: resolve,
        onCommitFailed: reject,
      });
    });
  }

  async read(log: LogId, from: number, options = READ_ALL): Promise<ReadResult> {
    return this.engine.read(log, from, options);
  }

  /** All batches from an offset on; asserts that the read succeeds. */
  async batches(log: LogId, from: number, options = READ_ALL): Promise<ParsedBatch[]> {
    // The bytes are valid in the turn of the answer only: they are parsed without waiting.
    const answer = this.engine.read(log, from, options);
    const parse = (result: ReadResult): ParsedBatch[] => {
      assert.equal(result.status, 'ok');
      if (result.status !== 'ok') return [];
      const batches = parseSlices(result.slices);
      const bytes = result.slices.reduce((sum, slice) => sum + slice.end - slice.start, 0);
      assert.equal(bytes, result.bytes);
      return batches;
    };
    return 'then' in answer ? answer.then(parse) : parse(answer);
  }

  /** All record values of a log, read to its end in steps. */
  async values(log: LogId, from = this.engine.bounds(log)!.start): Promise<string[]> {
    const values: string[] = [];
    for (let offset = from; ;) {
      const batches = await this.batches(log, offset);
      if (batches.length === 0) return values;
      for (const batch of batches) {
        const skipped = Math.max(0, offset - batch.baseOffset);
        values.push(...batch.values.slice(skipped));
        offset = batch.nextOffset;
      }
    }
  }

  private visitor(): ReplayVisitor {
    return {
      onBatches: (log, buffer, start, end) => {
        const batches = parseSlices([{ buffer, start, end, lease: null }]);
        for (const { values } of batches) this.replayed.push({ log, kind: 'batches', values });
      },
      onNote: (log, note) => {
        this.replayed.push({ log, kind: 'note', values: [note.toString()] });
      },
    };
  }
}

/** Lets everything that is due in this and the next turns of the event loop happen. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
