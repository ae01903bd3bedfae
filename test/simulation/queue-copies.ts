import type { Message } from '../../src/core/message/message.ts';
import type { QueueStore } from '../../src/core/queue/queue-store.ts';
import type { Settlement } from '../../src/core/queue-types.ts';
import type { Received } from '../support/queue-harness.ts';

const NOWHERE = '';

/** One message in one queue, or where that queue passed it on to. */
interface Copy {
  readonly id: string;
  /** The queue it was published to. */
  readonly root: string;
  readonly persistent: boolean;
  readonly order: number;
  /** Queues where it may be, NOWHERE: it may be gone. */
  allowed: Set<string>;
  /** Queues that handed it out at some time. */
  handedOutBy: Set<string>;
  /** It lived through a crash: it may be flagged though nobody has seen it. */
  survivedCrash: boolean;
  /** Somebody accepted it in this life: it may be gone, confirmed or not. */
  accepted: boolean;
  /** With a consumer, in this life. */
  held: boolean;
}

/** The tiny model: where each copy of each message may be, and must be. */
export class Copies {
  private readonly fail: (problem: string) => void;
  private readonly heirs: Readonly<Record<string, string>>;
  private readonly copies = new Map<string, Copy>();
  private readonly roots: Readonly<Record<string, string>>;
  private seenAt = new Map<Copy, string>();
  private life = 1;
  private nextOrder = 0;

  constructor(fail: (problem: string) => void, heirs: Readonly<Record<string, string>>) {
    this.fail = fail;
    this.heirs = heirs;
    this.roots = Object.fromEntries(Object.entries(heirs).map(([root, heir]) => [heir, root]));
  }

  published(root: string, message: Message, persistent: boolean): Copy {
    const id = message.body.toString('utf8', 0, message.bodyEnd).trim();
    const copy: Copy = {
      id,
      root,
      persistent,
      order: this.nextOrder++,
      allowed: new Set([...this.places(root), NOWHERE]),
      handedOutBy: new Set(),
      survivedCrash: false,
      accepted: false,
      held: false,
    };
    this.copies.set(`${root} ${id}`, copy);
    return copy;
  }

  whenCommitted(store: QueueStore, copy: Copy): void {
    this.later(store, () => {
      if (copy.persistent && !copy.accepted) copy.allowed.delete(NOWHERE);
    });
  }

  delivered(store: QueueStore, queue: string, got: Received, noAck: boolean): void {
    const copy = this.copyOf(queue, got.body);
    if (copy === null) return;
    if (copy.held) this.fail(`${queue} handed ${copy.id} out twice at once`);
    if (!copy.allowed.has(queue)) this.fail(`${queue} handed out ${copy.id}, which was settled`);
    const fault = this.flagFault(copy, queue, got.redelivered);
    if (fault !== null) this.fail(`${queue} handed out ${copy.id}, which ${fault}`);
    copy.handedOutBy.add(queue);
    if (noAck) {
      this.accepted(store, copy);
      return;
    }
    copy.held = true;
  }

  settling(queue: string, got: Received): void {
    const copy = this.copyOf(queue, got.body);
    if (copy !== null) copy.held = false;
  }

  settled(store: QueueStore, queue: string, got: Received, settlement: Settlement): void {
    const copy = this.copyOf(queue, got.body);
    if (copy === null) return;
    if (settlement === 'requeue' || settlement === 'return') return;
    // A dead letter moves when it was read: until then it is where it was.
    if (settlement === 'accept' || this.heirs[queue] === undefined) this.accepted(store, copy);
  }

  requeued(queue: string, held: readonly Received[]): void {
    for (const { body } of held) {
      const copy = this.copyOf(queue, body);
      if (copy !== null) copy.held = false;
    }
  }

  beginLook(options: { readonly crashed: boolean }): void {
    this.life++;
    this.seenAt = new Map();
    for (const copy of this.copies.values()) {
      copy.held = false;
      if (options.crashed) copy.survivedCrash = true;
    }
  }

  seen(queue: string, body: string, redelivered: boolean): void {
    const copy = this.copyOf(queue, body);
    if (copy === null) return;
    const before = this.seenAt.get(copy);
    // A queue that lets messages expire does so also while it is looked at.
    const moved = before === 'brief' && queue === 'expired';
    if (before !== undefined && !moved) this.fail(`${copy.id} is in ${before} and in ${queue}`);
    if (!copy.allowed.has(queue)) this.fail(`${copy.id} is in ${queue}, where it was settled`);
    if (!copy.persistent) this.fail(`${copy.id} was not to survive, but is in ${queue}`);
    const fault = this.flagFault(copy, queue, redelivered);
    if (fault !== null) this.fail(`${copy.id} is in ${queue}, and ${fault}`);
    this.seenAt.set(copy, queue);
  }

  endLook(): void {
    for (const [key, copy] of this.copies) {
      if (copy.persistent && !this.seenAt.has(copy) && !copy.allowed.has(NOWHERE)) {
        this.fail(`${copy.id} is lost from ${[...copy.allowed].join(' or ')}`);
      }
      // What is not there now never comes back.
      if (!this.seenAt.has(copy)) this.copies.delete(key);
      else copy.allowed.delete(NOWHERE);
      copy.accepted = false;
    }
  }

  private accepted(store: QueueStore, copy: Copy): void {
    copy.accepted = true;
    copy.allowed.add(NOWHERE);
    this.later(store, () => {
      copy.allowed = new Set([NOWHERE]);
    });
  }

  /** When what was done in this turn is durable; never in another life. */
  private later(store: QueueStore, action: () => void): void {
    const { life } = this;
    store.whenCommitted(store.ticket, {
      onCommitted: () => {
        if (life === this.life) action();
      },
      onCommitFailed: () => {},
    });
  }

  private flagFault(copy: Copy, queue: string, redelivered: boolean): string | null {
    const handedOut = copy.handedOutBy.has(queue);
    if (handedOut && !redelivered) return 'has lost its flag';
    return redelivered && !handedOut && !copy.survivedCrash ? 'is flagged, but new' : null;
  }

  private places(root: string): readonly string[] {
    const heir = this.heirs[root];
    return heir === undefined ? [root] : [root, heir];
  }

  private copyOf(queue: string, body: string): Copy | null {
    const copy = this.copies.get(`${this.roots[queue] ?? queue} ${body.trim()}`);
    if (copy === undefined) this.fail(`${queue} has ${body}, which was settled or never sent`);
    return copy ?? null;
  }
}
