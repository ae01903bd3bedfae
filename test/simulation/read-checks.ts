import type { LyrebirdError } from '../../src/base/errors.ts';
import type { LogEngine, ReadResult } from '../../src/storage/types.ts';
import type { LogModel } from './log-model.ts';
import type { Clients } from './clients.ts';
import type { World } from './world.ts';

const ALL = { maxBytes: 1 << 20, atLeastOneBatch: true };

/** Reads somewhere in a log, inside its bounds or a little outside, and checks what comes. */
export function checkRandomRead(clients: Clients): void {
  const { world, engine } = clients;
  const log = world.pick(clients.usable());
  const bounds = log === undefined ? null : engine.bounds(log.id);
  if (log === undefined || bounds === null) return;
  const span = bounds.committedEnd - bounds.start + 1;
  const outside = world.chance(0.05);
  const from = outside
    ? bounds.committedEnd + 1 + world.below(3)
    : bounds.start + world.below(span);
  const options = {
    maxBytes: world.chance(0.3) ? 1 << 20 : world.below(3000),
    atLeastOneBatch: world.chance(0.7),
  };
  const answer = engine.read(log.id, from, options);
  world.log(`read ${log.id} from ${from}${'then' in answer ? '' : ', answered at once'}`);
  const check = (result: ReadResult): void => {
    const { status } = result;
    world.log(`read ${log.id} from ${from}: ${status}`);
    if (!engine.hasLog(log.id)) return;
    if (status === 'ok') {
      const next = log.checkRead(result.slices, from);
      if (typeof next === 'string') return world.fail(next);
      const end = engine.bounds(log.id)?.committedEnd ?? Infinity;
      if (next > end) world.fail(`log ${log.id}: read to ${next}, past the committed end ${end}`);
      if (outside) world.fail(`log ${log.id}: a read past the end at ${from} was ok`);
      const some = result.slices.length > 0;
      if (!some && options.atLeastOneBatch && from < bounds.committedEnd) {
        world.fail(`log ${log.id}: nothing at ${from}, before the end ${bounds.committedEnd}`);
      }
      if (some && result.bytes > options.maxBytes && next > (log.find(from)?.nextOffset ?? 0)) {
        world.fail(`log ${log.id}: ${result.bytes} bytes are more than asked for`);
      }
    } else if (status === 'corrupt') {
      if (!mayBeUnreadable(world)) world.fail(`log ${log.id}: damaged at ${from}`);
    } else if (status === 'out-of-range') {
      const start = engine.bounds(log.id)?.start ?? Infinity;
      if (!outside && from >= start) world.fail(`log ${log.id}: ${from} is in range`);
    } else if (!clients.closing) {
      world.fail(`log ${log.id} is not known to a read`);
    }
  };
  if (!('then' in answer)) return check(answer);
  answer.then(check, (error: Error) => {
    const expected = clients.closing && (error as Partial<LyrebirdError>).code === 'LB2005';
    if (!expected) world.fail(`a read was rejected: ${error.stack}`);
  });
}

/** Asks for the newest time of a log, and where some time is, and checks the answers. */
export function checkTimes(clients: Clients): void {
  const { world, engine } = clients;
  const log = world.pick(clients.usable());
  const before = log === undefined ? null : engine.bounds(log.id);
  if (log === undefined || before === null || before.start === before.committedEnd) return;
  checkNewestTime(world, engine, log);
  const time = (world.pick(log.batches)?.timestamp ?? 0) + world.below(3) - 1;
  const committedEnd = before.committedEnd;
  engine.offsetForTime(log.id, time).then(
    (offset) => {
      const bounds = engine.bounds(log.id);
      if (bounds === null || bounds.start !== before.start) return;
      const expected = log.batches.find(
        (batch) => batch.nextOffset > bounds.start && batch.timestamp >= time,
      );
      const known = expected !== undefined && expected.nextOffset <= committedEnd;
      if (offset === null) {
        if (known && !mayBeUnreadable(world)) {
          world.fail(`log ${log.id}: no offset for ${time}, but ${expected.baseOffset}`);
        }
        return;
      }
      const right = expected === undefined ? -1 : Math.max(expected.baseOffset, bounds.start);
      if (offset !== right && !mayBeUnreadable(world)) {
        world.fail(`log ${log.id}: offset ${offset} for time ${time}, not ${right}`);
      }
    },
    (error: Error) => {
      if (!clients.closing) world.fail(`a time lookup was rejected: ${error.stack}`);
    },
  );
}

function checkNewestTime(world: World, engine: LogEngine, log: LogModel): void {
  const { start, committedEnd } = engine.bounds(log.id)!;
  const found = engine.maxTimestamp(log.id);
  let newest = -1;
  for (const { nextOffset, timestamp } of log.batches) {
    if (nextOffset > start && nextOffset <= committedEnd) newest = Math.max(newest, timestamp);
  }
  // An engine may remember the newest of batches that were appended together, of which a trim left some.
  const right = found === null ? newest === -1 : found.timestamp >= newest && newest !== -1;
  if (!right && !mayBeUnreadable(world)) {
    world.fail(`log ${log.id}: newest time ${JSON.stringify(found)}, not ${newest}`);
  }
}

/** Reads a whole log and checks every batch. Returns a checksum of what was read, or null when damaged. */
export async function checkWholeLog(
  world: World,
  engine: LogEngine,
  log: LogModel,
): Promise<number | null> {
  const bounds = engine.bounds(log.id);
  if (bounds === null) return null;
  let digest = bounds.start;
  let offset = bounds.start;
  while (offset < (engine.bounds(log.id)?.committedEnd ?? 0) && world.violation === null) {
    const answer = engine.read(log.id, offset, ALL);
    const result = 'then' in answer ? await answer : answer;
    if (result.status === 'corrupt') {
      if (!mayBeUnreadable(world)) world.fail(`log ${log.id} is damaged at ${offset}`);
      if (result.resumeOffset <= offset) world.fail(`log ${log.id}: no way on at ${offset}`);
      offset = result.resumeOffset;
      continue;
    }
    if (result.status === 'out-of-range' && offset < (engine.bounds(log.id)?.start ?? 0)) {
      offset = engine.bounds(log.id)!.start;
      continue;
    }
    if (result.status !== 'ok' || result.slices.length === 0) {
      world.fail(`log ${log.id}: reading at ${offset} gave ${result.status} and nothing`);
      return null;
    }
    const next = world.damaged
      ? log.checkReadAfterDamage(result.slices, offset)
      : log.checkRead(result.slices, offset);
    if (typeof next === 'string') {
      world.fail(next);
      return null;
    }
    digest = (digest * 31 + next + result.bytes) % 0x1_0000_0000;
    offset = next;
  }
  return digest;
}

function mayBeUnreadable(world: World): boolean {
  return world.damaged || world.scenario.faults.read > 0;
}
