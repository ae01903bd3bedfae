import { TX_IN, type Flow } from './amqp-topology.ts';

/** What must hold. */
export type Rule =
  | 'lost'
  | 'unknown message'
  | 'came back after a durable acknowledgement'
  | 'redelivered without the flag'
  | 'moved twice by transactions'
  | 'out of order'
  | 'too early'
  | 'refused'
  | 'returned'
  | 'topology'
  | 'count'
  | 'slow start';

/** The broker reads its clock once a turn: a delay begins that much before the publisher asked for it. */
const CLOCK_TOLERANCE_MS = 20;

/** What became of a message in one queue. */
interface Entry {
  deliveries: number;
  /** An acknowledgement was sent. */
  accepted: boolean;
  /** An acknowledgement was answered by a commit, or by a confirm of what was published after it. */
  durable: boolean;
  /** Names the copy: transactions make new ones. */
  copy: string;
}

interface Sent {
  readonly flow: Flow;
  readonly number: number;
  confirmed: boolean;
  /** Not to be delivered before, ms. */
  readonly dueMs: number;
}

export interface SeenDelivery {
  readonly queue: string;
  readonly id: string;
  readonly redelivered: boolean;
  readonly copy: string;
}

/** The highest numbers that a channel got as first deliveries, by publisher and priority. */
export type Heights = Map<string, number>;

/** What was promised to clients, and what they saw: every broken promise is a problem. */
export class Ledger {
  readonly problems = new Map<Rule, string[]>();
  /** Flagged as redelivered, though nobody had seen them. */
  flaggedUnseen = 0;
  redeliveries = 0;
  deliveries = 0;
  confirmed = 0;
  commits = 0;
  private readonly sent = new Map<string, Sent>();
  private readonly queues = new Map<string, Map<string, Entry>>();

  get published(): number {
    return this.sent.size;
  }

  problem(rule: Rule, text: string): void {
    const texts = this.problems.get(rule);
    if (texts === undefined) this.problems.set(rule, [text]);
    else texts.push(text);
  }

  publish(flow: Flow, number: number, dueMs: number): string {
    const id = `${flow.name}:${number}`;
    this.sent.set(id, { flow, number, dueMs, confirmed: false });
    return id;
  }

  confirm(id: string): void {
    const sent = this.sent.get(id);
    if (sent === undefined || sent.confirmed) return;
    sent.confirmed = true;
    this.confirmed++;
  }

  /** How many messages of the flow were confirmed, and how many were sent. */
  countOf(flowName: string): { readonly confirmed: number; readonly sent: number } {
    let confirmed = 0;
    let sent = 0;
    for (const { flow, confirmed: known } of this.sent.values()) {
      if (flow.name !== flowName) continue;
      sent++;
      if (known) confirmed++;
    }
    return { confirmed, sent };
  }

  /** Returns the number of the message and how often it was seen in this queue before. */
  delivered(seen: SeenDelivery, heights: Heights | null): { number: number; before: number } {
    const { queue, id, redelivered } = seen;
    this.deliveries++;
    const sent = this.sent.get(id);
    if (sent === undefined) {
      this.problem('unknown message', `${queue}: ${id}`);
      return { number: 0, before: 0 };
    }
    const { number, flow } = sent;
    if (Date.now() < sent.dueMs - CLOCK_TOLERANCE_MS) {
      this.problem('too early', `${queue}: ${id} by ${sent.dueMs - Date.now()} ms`);
    }
    const entry = this.entry(queue, id);
    const before = entry.deliveries++;
    const what = `${queue}: ${id}, delivery ${before + 1}`;
    if (entry.durable) this.problem('came back after a durable acknowledgement', what);
    if (before > 0 && !redelivered) this.problem('redelivered without the flag', what);
    if (before > 0 && entry.copy !== seen.copy) {
      this.problem('moved twice by transactions', `${what}: ${entry.copy} and ${seen.copy}`);
    }
    entry.copy = seen.copy;
    if (before > 0) this.redeliveries++;
    else if (redelivered) this.flaggedUnseen++;
    if (heights !== null && !redelivered) {
      const key = `${flow.name}/${number % (flow.priorities ?? 1)}`;
      const height = heights.get(key) ?? -1;
      if (number <= height) this.problem('out of order', `${what} came after ${height}`);
      else heights.set(key, number);
    }
    return { number, before };
  }

  accepted(queue: string, id: string): void {
    this.entry(queue, id).accepted = true;
  }

  /** The broker had to make the acknowledgement durable before it said what it said. */
  durable(queue: string, id: string): void {
    this.entry(queue, id).durable = true;
  }

  /** A transaction that moves the messages was answered. */
  committed(ids: readonly string[]): void {
    this.commits++;
    for (const id of ids) {
      this.durable(TX_IN, id);
      // It is promised as if its publisher had been told.
      const sent = this.sent.get(id);
      if (sent !== undefined) sent.confirmed = true;
    }
  }

  /** Confirmed messages that were not accepted everywhere, as `queue: id`. */
  missing(options: { readonly except: string }): string[] {
    const missing: string[] = [];
    for (const [id, { flow, number, confirmed }] of this.sent) {
      if (!confirmed) continue;
      for (const queue of flow.ends(number)) {
        if (queue === options.except) continue;
        if (this.queues.get(queue)?.get(id)?.accepted !== true) missing.push(`${queue}: ${id}`);
      }
    }
    return missing;
  }

  /** Confirmed messages of a queue that were never seen in it. */
  unseen(queue: string): string[] {
    const unseen: string[] = [];
    for (const [id, { flow, number, confirmed }] of this.sent) {
      if (!confirmed || !flow.ends(number).includes(queue)) continue;
      if (this.queues.get(queue)?.has(id) !== true) unseen.push(`${queue}: ${id}`);
    }
    return unseen;
  }

  private entry(queue: string, id: string): Entry {
    let entries = this.queues.get(queue);
    if (entries === undefined) {
      entries = new Map();
      this.queues.set(queue, entries);
    }
    let entry = entries.get(id);
    if (entry === undefined) {
      entry = { deliveries: 0, accepted: false, durable: false, copy: '' };
      entries.set(id, entry);
    }
    return entry;
  }
}
