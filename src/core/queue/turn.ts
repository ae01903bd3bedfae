import type { Clock } from '../../base/clock.ts';
import { LyrebirdError } from '../../base/errors.ts';
import { RingBuffer } from '../../base/ring-buffer.ts';
import { CommitWaiters } from '../../storage/journal/commit-waiters.ts';
import {
  APPEND_REFUSED,
  type CommitListener,
  type Durability,
  type LogEngine,
  type Position,
} from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Bundle } from '../message/bundle.ts';
import type { BufferPool } from '../message/buffer-pool.ts';
import { type Delay, EnvelopeWriter } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import { type Lane, NO_LOG } from './lane.ts';
import { LaneNotes } from './lane-image.ts';
import type { LaneSet } from './target-set.ts';

/** Bundles are appended when together they have this many bytes, or at the end of the turn. */
const FLUSH_BYTES = 128 * 1024;
/** A lane is trimmed when its floor moved this far; what is left is trimmed by and by. */
const TRIM_MESSAGES = 4096;
const TRIM_INTERVAL_MS = 1000;

export interface TurnOptions {
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly durability: Durability;
  readonly pool: BufferPool;
}

/** Something that wants to go on at the end of the turn. */
export interface Sleeper {
  /** In the list of those who were woken. */
  awake: boolean;
  /** Goes on; true when there is more to do. */
  run(): boolean;
}

/** Somebody else whose appends are part of turns, and of their tickets. */
export interface TurnMember {
  /** It has something to append. */
  readonly pending: boolean;
  /**
   * Appends all of it, inside the commit group of the turn. Returns the position with which that commits, 0 when there
   * is nothing to wait for, or one of APPEND_REFUSED: what is refused because something is full comes again next time.
   */
  append(): Position;
}

interface OpenedBundle {
  readonly bundle: Bundle;
  readonly set: LaneSet;
}

/**
 * Collects what one turn of the event loop does to queues, and appends it at its end: bundles in the order in which they
 * were opened, then a note for each lane that changed, all in one commit group. Each such flush is a ticket.
 */
export class Turn {
  /** Of everything that was done since the last flush. */
  ticket = 1;
  readonly engine: LogEngine;
  private readonly options: TurnOptions;
  private readonly clock: Clock;
  private readonly writer: EnvelopeWriter;
  private readonly notes: LaneNotes;
  private readonly waiters: CommitWaiters;
  private readonly flights: RingBuffer<Flight>;
  private readonly idleFlights: Flight[] = [];
  private opened: OpenedBundle[] = [];
  private openedBytes = 0;
  private dirty: Lane[] = [];
  private awake: Sleeper[] = [];
  private untrimmed = new Set<Lane>();
  private trimScheduled = false;
  private hold = 0;
  private cachedNowMs = -1;
  /** Somebody waits for the current ticket. */
  private asked = false;
  /** Tickets may not be told as committed yet: something of theirs has no log so far. */
  private postponed = 0;
  private scheduled = false;
  private closed = false;
  /** Appends were refused because the disk is full: bundles wait. */
  stalled = false;
  /** Called at the end of every turn with work. */
  onEnd: (() => void) | null = null;
  private readonly runLater: () => void;
  private readonly members: TurnMember[] = [];

  constructor(options: TurnOptions) {
    this.options = options;
    this.engine = options.engine;
    this.clock = options.clock;
    this.writer = new EnvelopeWriter();
    this.notes = new LaneNotes();
    this.waiters = new CommitWaiters(options);
    this.flights = new RingBuffer();
    this.runLater = () => {
      this.scheduled = false;
      if (!this.closed) this.run();
    };
  }

  /** What is stored now is shown to nobody before it is committed. */
  get transferring(): boolean {
    return this.hold > 0;
  }

  /** The wall clock, read once a turn. */
  get nowMs(): number {
    if (this.cachedNowMs < 0) {
      this.cachedNowMs = Math.floor(this.clock.wallMs());
      this.schedule();
    }
    return this.cachedNowMs;
  }

  /** Stores a message; tell its lanes (stored), then call added(). */
  add(set: LaneSet, message: Message, delay: Delay | null): void {
    const bundle = set.bundle ?? this.openBundle(set);
    const before = bundle.end;
    bundle.add(message, this.writer, delay);
    this.openedBytes += bundle.end - before;
  }

  added(): void {
    if (this.openedBytes >= FLUSH_BYTES && this.hold === 0) this.flush();
  }

  join(member: TurnMember): void {
    this.members.push(member);
  }

  /** A member has something to append at the end of this turn. */
  expect(): void {
    this.schedule();
  }

  touched(lane: Lane): void {
    lane.dirty = true;
    this.dirty.push(lane);
    this.schedule();
  }

  wake(sleeper: Sleeper): void {
    if (sleeper.awake) return;
    sleeper.awake = true;
    this.awake.push(sleeper);
    this.schedule();
  }

  whenCommitted(ticket: number, listener: CommitListener): void {
    if (ticket === this.ticket) {
      this.asked = true;
      this.schedule();
    }
    this.waiters.add(ticket, listener);
  }

  /**
   * What work does is not flushed before it ends: it commits as one, with what came before it in this turn. Messages
   * that it stores are transferred: nobody sees them before, or a crash would have them seen twice.
   */
  together(work: () => void): void {
    this.hold++;
    try {
      work();
    } finally {
      this.hold--;
      this.added();
    }
  }

  /** As together(), and what work does to the engine itself is in the same commit group. */
  atomically(work: () => void): void {
    this.engine.atomically(() => {
      this.hold++;
      try {
        work();
      } finally {
        this.hold--;
        if (this.hold === 0) this.flush();
      }
    });
  }

  /** Appends everything that was collected. */
  flush(): void {
    const idle = this.opened.length === 0 && this.dirty.length === 0 && !this.asked;
    if (this.closed || (idle && !this.membersPending())) return;
    this.asked = false;
    const flight = this.idleFlights.pop() ?? new Flight(this);
    flight.begin(this.ticket++);
    this.engine.atomically(() => {
      this.appendBundles(flight);
      if (!this.stalled) this.appendMembers(flight);
      if (!this.stalled) this.appendNotes(flight);
    });
    if (this.postponed > 0) flight.waiting = true;
    this.flights.push(flight);
    if (flight.position > 0) {
      this.engine.whenCommitted(flight.position, this.options.durability, flight);
    } else if (!flight.waiting) {
      flight.done = true;
      flight.tellLanes();
      this.land();
    }
    if (this.opened.length === 0) this.openedBytes = 0;
  }

  /** Tells in order who waited for flights that have arrived. */
  private land(): void {
    let ticket = 0;
    let flight = this.flights.peek();
    while (flight?.done === true) {
      ticket = flight.ticket;
      this.flights.shift();
      this.idleFlights.push(flight);
      flight = this.flights.peek();
    }
    if (ticket > 0) this.waiters.advance(ticket);
  }

  fail(error: Error): void {
    this.waiters.fail(error);
  }

  /** Until the matching resume(), tickets are not told as committed. */
  postpone(): void {
    this.postponed++;
  }

  resume(): void {
    this.postponed--;
    this.asked = true;
    this.schedule();
  }

  /** A refused append may be tried again. */
  retry(): void {
    if (this.stalled) this.schedule();
  }

  /** Appends what is left; nothing is taken any more. */
  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
  }

  /** As a crash would: nothing is appended any more. */
  abort(): void {
    this.closed = true;
  }

  /** Forgets what a lane that is gone had waiting. */
  forget(lane: Lane): void {
    this.untrimmed.delete(lane);
  }

  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    this.clock.defer(this.runLater);
  }

  private run(): void {
    const { awake } = this;
    this.awake = [];
    for (const sleeper of awake) {
      sleeper.awake = false;
      if (sleeper.run()) this.wake(sleeper);
    }
    this.flush();
    this.cachedNowMs = -1;
    this.onEnd?.();
  }

  private openBundle(set: LaneSet): Bundle {
    const bundle = new Bundle(this.options.pool);
    bundle.holders++;
    for (const lane of set.lanes) {
      // A queue has one open bundle: offsets follow the order of publishing.
      if (lane.openBundle !== null) this.seal(lane.openBundle);
      lane.open(bundle);
    }
    set.bundle = bundle;
    this.opened.push({ bundle, set });
    this.schedule();
    return bundle;
  }

  private seal(bundle: Bundle): void {
    for (let i = this.opened.length - 1; i >= 0; i--) {
      const opened = this.opened[i]!;
      if (opened.bundle !== bundle) continue;
      this.sealOpened(opened);
      return;
    }
  }

  private sealOpened({ bundle, set }: OpenedBundle): void {
    if (bundle.sealed) return;
    bundle.sealed = true;
    set.bundle = null;
    bundle.finish({ checksum: set.durable.length > 0 });
    if (set.keeps) bundle.keep();
    for (const lane of set.lanes) lane.sealed(bundle);
  }

  private appendBundles(flight: Flight): void {
    const { opened } = this;
    this.stalled = false;
    let appended = 0;
    for (const item of opened) {
      this.sealOpened(item);
      const position = this.append(item, flight);
      if (position === APPEND_REFUSED.diskFull || position === APPEND_REFUSED.memoryFull) {
        this.stalled = true;
        flight.waiting = true;
        break;
      }
      if (position < 0) this.refused(item, position);
      else flight.reached(position);
      item.bundle.release();
      appended++;
    }
    this.opened = appended === opened.length ? [] : opened.slice(appended);
    for (const item of this.opened) this.sealOpened(item);
    this.openedBytes = 0;
  }

  /** 0: nobody keeps it in a log. */
  private append({ bundle, set }: OpenedBundle, flight: Flight): Position {
    const { engine } = this;
    const lanes = set.durable.filter((lane) => !lane.dropped);
    if (lanes.length === 0) return 0;
    for (const lane of lanes) {
      lane.appended(bundle);
      flight.lanes.push(lane);
    }
    const { buffer, end } = bundle;
    const [first] = lanes;
    if (lanes.length === 1 && first !== undefined) {
      return engine.append(first.log, engine.owner(first.log).epoch, buffer, 0, end);
    }
    const logs = lanes.map(({ log }) => log);
    const epochs = logs.map((log) => engine.owner(log).epoch);
    return engine.appendShared(logs, epochs, buffer, 0, end);
  }

  private membersPending(): boolean {
    for (const member of this.members) if (member.pending) return true;
    return false;
  }

  private appendMembers(flight: Flight): void {
    for (const member of this.members) {
      if (!member.pending) continue;
      const position = member.append();
      if (position >= 0) {
        flight.reached(position);
      } else if (position === APPEND_REFUSED.diskFull || position === APPEND_REFUSED.memoryFull) {
        this.stalled = true;
        flight.waiting = true;
      } else {
        this.fail(new LyrebirdError('LB2003', 'the storage engine takes no more data'));
      }
    }
  }

  private refused({ set }: OpenedBundle, position: Position): void {
    const error = new LyrebirdError('LB2003', 'the storage engine takes no more data');
    const logs = set.logs.join(', ');
    this.options.logger.error('queue.append-refused', 'messages of queues cannot be stored', {
      logs,
      position,
    });
    this.fail(error);
  }

  private appendNotes(flight: Flight): void {
    const { dirty, engine } = this;
    this.dirty = [];
    for (const lane of dirty) {
      lane.dirty = false;
      lane.rest();
      if (lane.log === NO_LOG || lane.dropped) continue;
      if (lane.announce()) flight.noted(lane);
      const note = this.notes.note(lane);
      const position = engine.appendNote(lane.log, engine.owner(lane.log).epoch, note);
      if (position > 0) flight.reached(position);
      else if (position !== APPEND_REFUSED.unknownLog) this.noteRefused(lane, position);
      if (lane.floor > lane.trimmedTo) flight.settled(lane);
    }
  }

  /**
   * Everything before the floor is settled, and that is committed. Not earlier: a trim takes effect at once, and a crash
   * could undo what took the messages' place, such as their dead letters, but not the trim.
   */
  trimmable(lane: Lane, floor: number): void {
    if (lane.dropped || floor <= lane.trimmable) return;
    lane.trimmable = floor;
    if (floor - lane.trimmedTo >= TRIM_MESSAGES) this.trim(lane);
    else if (floor > lane.trimmedTo) this.trimLater(lane);
  }

  private noteRefused({ log }: Lane, position: Position): void {
    this.options.logger.error('queue.note-refused', 'what became of messages cannot be stored', {
      log,
      position,
    });
    this.fail(new LyrebirdError('LB2003', 'the storage engine takes no more data'));
  }

  private trim(lane: Lane): void {
    this.engine.trim(lane.log, lane.trimmable);
    lane.trimmedTo = this.engine.bounds(lane.log)?.start ?? lane.trimmable;
    if (lane.trimmedTo < lane.trimmable) this.trimLater(lane);
    else this.untrimmed.delete(lane);
  }

  private trimLater(lane: Lane): void {
    this.untrimmed.add(lane);
    if (this.trimScheduled) return;
    this.trimScheduled = true;
    this.clock.setTimer(TRIM_INTERVAL_MS, () => {
      this.trimScheduled = false;
      const lanes = this.untrimmed;
      this.untrimmed = new Set();
      if (this.closed) return;
      for (const lane of lanes) if (!lane.dropped) this.trim(lane);
    });
  }

  /** The flight's position is committed, and so is everything before it. */
  arrived(flight: Flight): void {
    for (const lane of flight.lanes) lane.committed();
    flight.lanes.length = 0;
    flight.tellLanes();
    if (flight.waiting) return;
    flight.tellFloors();
    for (let i = 0; ; i++) {
      const earlier = this.flights.at(i);
      if (earlier === undefined) break;
      earlier.done = true;
      if (earlier === flight) break;
    }
    this.land();
  }
}

/** One flush on its way to being committed. */
class Flight implements CommitListener {
  ticket = 0;
  position: Position = 0;
  done = false;
  /** Some of it was refused for now: it is appended with a later flush. */
  waiting = false;
  readonly lanes: Lane[] = [];
  /** Lanes that want to know when what they said is committed: what they announced, and their tail. */
  private readonly notedLanes: Lane[] = [];
  private readonly notedOffsets: number[] = [];
  /** Lanes whose floor moved, and where to. */
  private readonly settledLanes: Lane[] = [];
  private readonly floors: number[] = [];
  private readonly turn: Turn;

  constructor(turn: Turn) {
    this.turn = turn;
  }

  settled(lane: Lane): void {
    this.settledLanes.push(lane);
    this.floors.push(lane.floor);
  }

  begin(ticket: number): void {
    this.ticket = ticket;
    this.position = 0;
    this.done = false;
    this.waiting = false;
  }

  noted(lane: Lane): void {
    this.notedLanes.push(lane);
    this.notedOffsets.push(lane.announcedBelow, lane.tail);
  }

  tellLanes(): void {
    const { notedLanes, notedOffsets } = this;
    for (let i = 0; i < notedLanes.length; i++) {
      notedLanes[i]!.noted(notedOffsets[2 * i]!, notedOffsets[2 * i + 1]!);
    }
    notedLanes.length = 0;
    notedOffsets.length = 0;
  }

  /** What was settled is committed. */
  tellFloors(): void {
    const { settledLanes, floors } = this;
    for (let i = 0; i < settledLanes.length; i++) {
      this.turn.trimmable(settledLanes[i]!, floors[i]!);
    }
    settledLanes.length = 0;
    floors.length = 0;
  }

  reached(position: Position): void {
    if (position > this.position) this.position = position;
  }

  onCommitted(): void {
    this.turn.arrived(this);
  }

  onCommitFailed(error: Error): void {
    this.lanes.length = 0;
    this.settledLanes.length = 0;
    this.floors.length = 0;
    // Nothing is kept any more: consumers get what is there.
    this.tellLanes();
    this.turn.fail(error);
  }
}
