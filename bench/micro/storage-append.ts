/**
 * What appending, committing and reading cost in the local engine, without a network: CPU time of the whole
 * process (its I/O threads included) per record, on a folder of the disk that is measured.
 *
 *   node --import tsx bench/micro/storage-append.ts [--folder DIR] [--seconds N] [--only NAME]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemClock } from '../../src/base/clock.ts';
import { SystemRandom } from '../../src/base/random.ts';
import { computeBatchCrc, writeInt64 } from '../../src/base/record-batch.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import type { LocalEngineOptions } from '../../src/storage/local-engine-options.ts';
import { createNodeFileSystem } from '../../src/storage/node-file-system.ts';
import type { CommitListener, Durability, LogId } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

interface Case {
  readonly name: string;
  readonly durability: Durability;
  readonly logs: number;
  readonly recordsPerBatch: number;
  readonly recordBytes: number;
  /** Batches that wait for their commit at any time. */
  readonly outstanding: number;
  readonly limits?: Partial<LocalEngineOptions>;
}

const CASES: readonly Case[] = [
  {
    name: 'os-11k',
    durability: 'os',
    logs: 12,
    recordsPerBatch: 100,
    recordBytes: 110,
    outstanding: 60,
  },
  {
    name: 'os-70k',
    durability: 'os',
    logs: 12,
    recordsPerBatch: 650,
    recordBytes: 110,
    outstanding: 60,
  },
  {
    name: 'os-900k',
    durability: 'os',
    logs: 12,
    recordsPerBatch: 8000,
    recordBytes: 110,
    outstanding: 12,
  },
  {
    name: 'os-single',
    durability: 'os',
    logs: 100,
    recordsPerBatch: 1,
    recordBytes: 110,
    outstanding: 100,
  },
  {
    name: 'fsync-11k',
    durability: 'fsync',
    logs: 12,
    recordsPerBatch: 100,
    recordBytes: 110,
    outstanding: 60,
  },
  {
    name: 'fsync-single',
    durability: 'fsync',
    logs: 100,
    recordsPerBatch: 1,
    recordBytes: 110,
    outstanding: 100,
  },
  {
    name: 'os-11k-settling',
    durability: 'os',
    logs: 12,
    recordsPerBatch: 100,
    recordBytes: 110,
    outstanding: 60,
    limits: { journalBytes: 512 << 20 },
  },
];

function makeBatch(records: number, recordBytes: number): Buffer {
  const batch = Buffer.alloc(61 + records * recordBytes, 0x61);
  batch.fill(0, 0, 61);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(2, 16);
  batch.writeInt32BE(records - 1, 23);
  writeInt64(batch, Date.now(), 27);
  writeInt64(batch, Date.now(), 35);
  writeInt64(batch, -1, 43);
  batch.writeInt32BE(records, 57);
  batch.writeUInt32BE(computeBatchCrc(batch, 0, batch.length), 17);
  return batch;
}

/** One publisher: appends its next batch, in a later turn, when the last one is committed. */
class Publisher implements CommitListener {
  private readonly bench: Bench;
  private readonly log: LogId;

  constructor(bench: Bench, log: LogId) {
    this.bench = bench;
    this.log = log;
  }

  append(): void {
    const { engine, batch, durability } = this.bench;
    const position = engine.append(this.log, 0, batch, 0, batch.length);
    if (position < 0) throw new Error(`append was refused with ${position}`);
    engine.whenCommitted(position, durability, this);
  }

  onCommitted(): void {
    this.bench.batches++;
    this.bench.next(this);
  }

  onCommitFailed(error: Error): void {
    throw error;
  }
}

class Bench {
  readonly engine: LocalEngine;
  readonly batch: Buffer;
  readonly durability: Durability;
  batches = 0;
  stopped = false;
  left: number;
  ready: Publisher[] = [];

  constructor(engine: LocalEngine, wanted: Case) {
    this.engine = engine;
    this.batch = makeBatch(wanted.recordsPerBatch, wanted.recordBytes);
    this.durability = wanted.durability;
    this.left = wanted.outstanding;
  }

  /** As with sockets: whoever was answered in this turn publishes again in the next one. */
  next(publisher: Publisher): void {
    if (this.stopped) {
      this.left--;
      return;
    }
    this.ready.push(publisher);
    if (this.ready.length === 1) setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    const { ready } = this;
    this.ready = [];
    for (const publisher of ready) publisher.append();
  };

  async run(logs: readonly LogId[], outstanding: number, seconds: number): Promise<void> {
    for (let i = 0; i < outstanding; i++) new Publisher(this, logs[i % logs.length]!).append();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    this.stopped = true;
    while (this.left > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function measureRead(engine: LocalEngine, logs: readonly LogId[]): Promise<string> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  let bytes = 0;
  for (const log of logs) {
    const { start, committedEnd } = engine.bounds(log)!;
    let from = start;
    while (from < committedEnd) {
      const answer = engine.read(log, from, { maxBytes: 1 << 20, atLeastOneBatch: true });
      const result = 'then' in answer ? await answer : answer;
      if (result.status !== 'ok' || result.bytes === 0) throw new Error(result.status);
      bytes += result.bytes;
      const last = result.slices[result.slices.length - 1]!;
      from = endOffset(last.buffer, last.start, last.end);
    }
  }
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const mib = bytes / (1 << 20);
  const seconds = (performance.now() - started) / 1000;
  return `read ${mib.toFixed(0)} MiB: ${(mib / seconds).toFixed(0)} MiB/s, ${(mib / cpuSeconds).toFixed(0)} MiB per CPU-s`;
}

function endOffset(b: Buffer, start: number, end: number): number {
  let at = start;
  let offset = 0;
  while (at < end) {
    offset = Number(b.readBigInt64BE(at)) + b.readInt32BE(at + 23) + 1;
    at += b.readInt32BE(at + 8) + 12;
  }
  return offset;
}

async function runCase(wanted: Case, options: { folder: string; seconds: number }): Promise<void> {
  const folder = await mkdtemp(join(options.folder, 'lyrebird-bench-'));
  const engine = new LocalEngine({
    folder,
    fileSystem: createNodeFileSystem(),
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: silentLogger,
    ...wanted.limits,
  });
  try {
    await engine.open({ onBatches: () => {}, onNote: () => {} });
    const first = await engine.allocateLogIds(wanted.logs);
    const spec = {
      durability: wanted.durability,
      retentionMs: Infinity,
      retentionBytes: (4 * 2 ** 30) / wanted.logs,
      segmentBytes: 1 << 30,
    };
    const logs = Array.from({ length: wanted.logs }, (_, i) => first + i);
    const createLogs = logs.map((id) => ({ id, name: `bench/${id}`, spec }));
    await engine.meta.txn({ then: [], createLogs });
    const bench = new Bench(engine, wanted);
    const before = engine.stats();
    const cpu = process.cpuUsage();
    const started = performance.now();
    await bench.run(logs, wanted.outstanding, options.seconds);
    const seconds = (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    const cpuSeconds = (used.user + used.system) / 1e6;
    const after = engine.stats();
    const records = bench.batches * wanted.recordsPerBatch;
    const groups = after.groups - before.groups;
    const line = [
      wanted.name.padEnd(16),
      `${(records / cpuSeconds / 1e3).toFixed(0)}k rec/CPU-s`.padStart(18),
      `${(records / seconds / 1e3).toFixed(0)}k rec/s`.padStart(14),
      `${(after.appendedBytes / seconds / 2 ** 20).toFixed(0)} MiB/s`.padStart(12),
      `${(bench.batches / groups).toFixed(1)} batches/group`.padStart(20),
      `${after.syncs - before.syncs} syncs`.padStart(12),
      `settled ${(after.settledBytes / 2 ** 20).toFixed(0)} MiB`.padStart(18),
      `rss ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`.padStart(14),
    ];
    console.log(line.join(' '));
    if (wanted.recordsPerBatch > 1) console.log(`  ${await measureRead(engine, logs)}`);
  } finally {
    await engine.close('abort');
    await rm(folder, { recursive: true });
  }
}

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: tmpdir() },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
  },
});
for (const wanted of CASES) {
  if (!wanted.name.includes(values.only)) continue;
  await runCase(wanted, { folder: values.folder, seconds: Number(values.seconds) });
}
