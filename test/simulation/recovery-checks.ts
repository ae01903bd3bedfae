import { crc32c } from '../../src/base/crc32c.ts';
import { batchNextOffset, batchTotalBytes } from '../../src/base/record-batch.ts';
import type { Identity, LogEngine } from '../../src/storage/types.ts';
import type { CrashKind } from './disk.ts';
import { UNACKED } from './log-model.ts';
import type { Cut, LogModel } from './log-model.ts';
import { checkWholeLog } from './read-checks.ts';
import type { Replay } from './replay.ts';
import type { Running } from './sim-process.ts';
import type { World } from './world.ts';

/** A storage keeps its name, and counts its starts. */
export function checkIdentity(world: World, identity: Identity): string | null {
  const before = world.identity;
  world.identity = identity;
  if (before === null || world.damaged) return null;
  if (!identity.clusterId.equals(before.clusterId)) return 'the storage has another cluster id';
  const { incarnation } = identity;
  return incarnation > before.incarnation ? null : `incarnation ${incarnation} came again`;
}

/** Compares a freshly opened engine with all that was promised before, and takes over what it shows. */
export async function checkRecovery(
  world: World,
  running: Running,
  crash: CrashKind,
): Promise<void> {
  const { engine, replay } = running;
  if (world.damaged) return checkDamagedRecovery(world, engine);
  world.check(world.meta.recover(engine));
  if (world.violation !== null) return;
  const { logs } = world.meta.latest;
  const cut: Cut = { newestKept: 0, oldestLost: Infinity, detail: '' };
  for (const log of world.logs.values()) {
    if (!logs.has(log.id)) {
      world.logs.delete(log.id);
      continue;
    }
    log.usable = true;
    world.newestLogId = Math.max(world.newestLogId, log.id);
    world.check(recoverLog(world, engine, replay, log, { cut, crash }));
  }
  if (world.violation === null && cut.newestKept >= cut.oldestLost) {
    world.fail(`groups were not kept up to one position: ${cut.detail.slice(0, 400)}`);
  }
  world.lastPosition = 0;
  const first = world.logs.keys().next();
  if (first.done !== true) world.epoch = engine.owner(first.value).epoch;
  for (const log of world.logs.values()) {
    if (world.violation === null) await checkWholeLog(world, engine, log);
  }
}

function recoverLog(
  world: World,
  engine: LogEngine,
  replay: Replay,
  log: LogModel,
  context: { cut: Cut; crash: CrashKind },
): string | null {
  const bounds = engine.bounds(log.id);
  if (bounds === null) return `log ${log.id} has no bounds`;
  const { start, committedEnd, pendingEnd } = bounds;
  world.log(`recovered log ${log.id}: ${start} to ${committedEnd}, ${bounds.bytes} bytes`);
  if (pendingEnd !== committedEnd) return `log ${log.id} has pending data after its recovery`;
  if (start > committedEnd) return `log ${log.id} starts at ${start}, ends at ${committedEnd}`;
  if (log.memory) return log.recover({ start, committedEnd, notes: 0 }, context.cut, context.crash);
  const { notes: covered, end: coveredEnd } = replay.base(log.id);
  const numbers = replay.notes(log.id);
  for (const [i, number] of numbers.entries()) {
    if (number !== covered + i)
      return `log ${log.id}: note ${number} was replayed as ${covered + i}`;
  }
  const notes = covered + numbers.length;
  if (notes > log.notes.length) return `log ${log.id} has notes that were never appended`;
  const problem =
    checkReplayedBatches(replay, log, { coveredEnd, committedEnd }) ??
    checkEpoch(world, engine, log, committedEnd);
  return problem ?? log.recover({ start, committedEnd, notes }, context.cut, context.crash);
}

/** When something is gone that readers may have seen, the next value of its offset has to be told apart. */
function checkEpoch(
  world: World,
  engine: LogEngine,
  log: LogModel,
  committedEnd: number,
): string | null {
  const { epoch } = engine.owner(log.id);
  const lost = log.batches.find((batch) => batch.nextOffset > committedEnd);
  if (lost === undefined || lost.acked === UNACKED || epoch > world.epoch) return null;
  return `log ${log.id} lost what was seen at ${lost.baseOffset}, and its epoch is still ${epoch}`;
}

/** Replayed batches lead from what the snapshot covers to the end, without a gap. */
function checkReplayedBatches(
  replay: Replay,
  log: LogModel,
  ends: { coveredEnd: number; committedEnd: number },
): string | null {
  let next: number | null = null;
  for (const buffer of replay.batches(log.id)) {
    const base = Number(buffer.readBigInt64BE(0));
    if (next !== null && base !== next) return `log ${log.id}: ${base} was replayed after ${next}`;
    if (next === null && base > ends.coveredEnd) {
      return `log ${log.id}: replay begins at ${base}, the snapshot ends at ${ends.coveredEnd}`;
    }
    const slice = { buffer, start: 0, end: buffer.length, lease: null };
    const after = log.checkRead([slice], base);
    if (typeof after === 'string') return `replayed: ${after}`;
    next = after;
  }
  const end = next ?? ends.coveredEnd;
  if (end === ends.committedEnd) return null;
  return `log ${log.id}: snapshot and replay end at ${end}, the log at ${ends.committedEnd}`;
}

/** A damaged disk may have lost anything, but nothing is made up. */
async function checkDamagedRecovery(world: World, engine: LogEngine): Promise<void> {
  for (const log of world.logs.values()) {
    if (engine.hasLog(log.id) && !log.memory) await checkWholeLog(world, engine, log);
  }
}

/** What an engine shows, as text: two recoveries of the same bytes must agree. */
export async function fingerprint(world: World, running: Running): Promise<string> {
  const { engine, replay } = running;
  const lines = [`revision ${engine.meta.revision}`];
  for (const { key, value, modRevision } of engine.meta.range('')) {
    lines.push(`${key}=${value}@${modRevision}`);
  }
  for (const { id, name, spec, bounds } of Array.from(engine.logs())) {
    const base = replay.base(id);
    lines.push(`${id} ${name} ${spec.durability} to ${bounds.committedEnd}`);
    lines.push(`snapshot ${base.notes} ${base.end}, notes ${replay.notes(id).join()}`);
    // Retention goes on while this looks.
    const limited = spec.retentionBytes !== Infinity || spec.retentionMs !== Infinity;
    if (limited || world.scenario.shortOfSpace) continue;
    lines.push(`from ${bounds.start}, ${bounds.bytes} bytes`);
    let offset = bounds.start;
    while (offset < bounds.committedEnd) {
      const result = await engine.read(id, offset, { maxBytes: 1 << 20, atLeastOneBatch: true });
      if (result.status !== 'ok' || result.slices.length === 0) break;
      const before = offset;
      for (const { buffer, start, end } of result.slices) {
        for (let at = start; at < end;) {
          const next = at + batchTotalBytes(buffer, at);
          lines.push(`batch ${crc32c(buffer.subarray(at, next))}`);
          offset = batchNextOffset(buffer, at);
          at = next;
        }
      }
      if (offset === before) world.fail(`log ${id}: a read at ${offset} leads nowhere`);
    }
  }
  return lines.join('\n');
}
