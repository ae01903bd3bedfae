import type { Position } from '../../src/storage/types.ts';
import type { Clients } from './clients.ts';
import { UNACKED } from './log-model.ts';
import type { Acked, LogModel } from './log-model.ts';
import { makeSimBatch } from './sim-batch.ts';

const PRODUCERS = 3;
const START_MS = 1_700_000_000_000;

interface MadeBatch {
  readonly bytes: Buffer;
  readonly records: number;
}

export function appendSome(clients: Clients, count: number): void {
  let log = clients.world.pick(clients.usable());
  for (let i = 0; i < count && log !== undefined; i++) {
    appendTo(clients, log);
    if (clients.world.chance(0.5)) log = clients.world.pick(clients.usable());
  }
}

export function appendAtomically(clients: Clients): void {
  const positions = new Set<number>();
  clients.engine.atomically(() => {
    for (let i = 0; i < 4; i++) {
      const log = clients.world.pick(clients.usable());
      if (log === undefined) return;
      const position = clients.world.chance(0.3) ? noteTo(clients, log) : appendTo(clients, log);
      if (position > 0 && !log.memory) positions.add(position);
    }
  });
  if (positions.size > 1) clients.world.fail('an atomic group has several positions');
}

export function appendNote(clients: Clients): void {
  const log = clients.world.pick(clients.usable());
  if (log !== undefined) noteTo(clients, log);
}

export function appendShared(clients: Clients): void {
  const { world, engine } = clients;
  const logs = new Set<LogModel>();
  for (let i = 0; i < 3; i++) {
    const log = world.pick(clients.usable());
    if (log !== undefined) logs.add(log);
  }
  const targets = [...logs];
  const batch = makeBatch(clients, null);
  const ids = targets.map((log) => log.id);
  const epochs = targets.map(() => world.below(5));
  const before = ids.map((id) => engine.pendingEnd(id));
  const position = engine.appendShared(ids, epochs, batch.bytes, 0, batch.bytes.length);
  world.log(`appendShared ${ids.join(',')} -> ${position}`);
  if (!clients.accepted(position)) {
    const after = ids.map((id) => engine.pendingEnd(id));
    if (after.join() !== before.join()) world.fail('a refused shared append moved an end');
    return;
  }
  for (const [i, log] of targets.entries()) {
    took(clients, log, batch, position, epochs[i]!);
  }
}

export function trim(clients: Clients): void {
  const { world, engine } = clients;
  const log = world.pick(clients.usable());
  const bounds = log === undefined ? null : engine.bounds(log.id);
  if (log === undefined || bounds === null) return;
  const before = bounds.start + world.below(bounds.pendingEnd - bounds.start + 2);
  const position = engine.trim(log.id, before);
  const after = engine.bounds(log.id)!;
  world.log(`trim ${log.id} before ${before}: starts at ${after.start} -> ${position}`);
  if (position < 0) {
    clients.accepted(position);
    return;
  }
  if (after.start < bounds.start || after.start > Math.max(before, bounds.start)) {
    world.fail(`trim to ${before} moved the start from ${bounds.start} to ${after.start}`);
  }
  log.trimmedTo = Math.max(log.trimmedTo, after.start);
  if (after.start === bounds.start || log.memory) return;
  const trim = { before: after.start, position, acked: UNACKED as Acked };
  log.trims.push(trim);
  clients.waitFor(position, 'fsync', (acked) => (trim.acked = acked));
}

function appendTo(clients: Clients, log: LogModel): Position {
  const { world, engine } = clients;
  const batch = makeBatch(clients, log);
  const epoch = world.below(5);
  const end = engine.pendingEnd(log.id);
  if (end !== log.end) world.fail(`log ${log.id} ends at ${end}, not ${log.end}`);
  const position = engine.append(log.id, epoch, batch.bytes, 0, batch.bytes.length);
  world.log(`append ${log.id} at ${end}, ${batch.bytes.length} bytes -> ${position}`);
  if (clients.accepted(position)) took(clients, log, batch, position, epoch);
  batch.bytes.fill(0xee);
  return position;
}

/** An engine accepted a batch: the model has it from now on, and somebody waits for it. */
function took(
  clients: Clients,
  log: LogModel,
  batch: MadeBatch,
  position: Position,
  epoch: number,
): void {
  const { world, engine } = clients;
  const { durability } = engine.spec(log.id)!;
  const { bytes, records } = batch;
  const facts = { records, epoch, position, durability };
  const appended = log.append(bytes, 0, bytes.length, facts);
  if (appended.producerId >= 0) log.sequences.set(appended.producerId, appended.sequence + 1);
  if (log.memory) return;
  if (position < world.lastPosition) world.fail(`position ${position} after ${world.lastPosition}`);
  world.lastPosition = position;
  const asked = world.chance(0.8) ? durability : world.chance(0.5) ? 'fsync' : 'os';
  clients.waitFor(position, asked, (acked) => {
    log.promise(appended, acked);
    const end = engine.bounds(log.id)?.committedEnd;
    const visible = end === undefined || end >= appended.nextOffset || log.altered;
    if (asked === durability && !visible) {
      world.fail(`log ${log.id}: position ${position} is committed, its data is not readable`);
    }
  });
}

function noteTo(clients: Clients, log: LogModel): Position {
  if (log.memory) return 0;
  const { world, engine } = clients;
  const number = log.notes.length;
  const note = Buffer.alloc(4 + world.below(60));
  note.writeUInt32BE(number, 0);
  const position = engine.appendNote(log.id, 0, note);
  world.log(`note ${log.id} number ${number} -> ${position}`);
  if (!clients.accepted(position)) return position;
  if (position < world.lastPosition) world.fail(`position ${position} after ${world.lastPosition}`);
  world.lastPosition = position;
  const kept = { number, position, acked: UNACKED as Acked };
  log.notes.push(kept);
  clients.waitFor(position, engine.spec(log.id)!.durability, (acked) => (kept.acked = acked));
  return position;
}

function makeBatch(clients: Clients, log: LogModel | null): MadeBatch {
  const { world } = clients;
  const tag = world.nextTag++;
  const records = 1 + world.below(4);
  const bodyBytes = world.chance(0.05) ? 4 + world.below(6000) : 4 + world.below(300);
  const producerId = log === null ? -1 : world.below(PRODUCERS);
  const sequence = log?.sequences.get(producerId) ?? 0;
  const timestamp = START_MS + Math.floor(world.scheduler.nowMs) + world.below(50);
  const content = { tag, records, bodyBytes, timestamp, producerId, sequence };
  return { bytes: makeSimBatch(content), records };
}
