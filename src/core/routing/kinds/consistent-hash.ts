import type { Message } from '../../message/message.ts';
import type { Binding } from '../binding.ts';
import { hashText, mix32 } from '../hash.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';
import type { HashSubject } from './hash-subject.ts';

/** Positions on the ring; a share is exact to about one over the root of the positions it has. */
const POSITION_BITS = 14;
const POSITIONS = 1 << POSITION_BITS;
const NOBODY = -1;

/**
 * One binding gets the message: the one that owns its hash's position on a ring. Each binding bids for each position,
 * at random but always the same, and better the more weight (its key) it has; the best bid owns the position. A
 * new binding takes only what it wins, and of one that goes only its own positions change hands.
 */
export class ConsistentHashKind implements ExchangeKind {
  readonly dependsOn = 'message';
  readonly perKey = false;
  private readonly subject: HashSubject;
  private readonly bidders: (Bidder | null)[] = [];
  private readonly free: number[] = [];
  private readonly indexes = new Map<Binding, number>();
  /** Of each position, the index of its owner and the owner's bid. Made with the first binding. */
  private owners: Int32Array | null = null;
  private bids: Float64Array | null = null;

  constructor(subject: HashSubject) {
    this.subject = subject;
  }

  findBindingDefect(routingKey: string): string | null {
    if (!/^[+-]?\d+$/.test(routingKey)) {
      return `The binding key must be an integer: <<"${routingKey}">>`;
    }
    return Number(routingKey) < 1 ? 'The binding key must be greater than 0' : null;
  }

  add(binding: Binding): void {
    this.owners ??= new Int32Array(POSITIONS).fill(NOBODY);
    this.bids ??= new Float64Array(POSITIONS).fill(Number.NEGATIVE_INFINITY);
    const index = this.free.pop() ?? this.bidders.length;
    const bidder = new Bidder(binding);
    this.bidders[index] = bidder;
    this.indexes.set(binding, index);
    for (let position = 0; position < POSITIONS; position++) {
      const bid = bidder.bidFor(position);
      if (bid > this.bids[position]!) {
        this.bids[position] = bid;
        this.owners[position] = index;
      }
    }
  }

  remove(binding: Binding): void {
    const index = this.indexes.get(binding);
    const { owners, bids } = this;
    if (index === undefined || owners === null || bids === null) return;
    this.indexes.delete(binding);
    this.bidders[index] = null;
    this.free.push(index);
    for (let position = 0; position < POSITIONS; position++) {
      if (owners[position] === index) this.auction(position, owners, bids);
    }
  }

  match(key: string, message: Message, visitor: BindingVisitor): void {
    if (this.owners === null) return;
    const position = hashText(this.subject.textOf(key, message)) >>> (32 - POSITION_BITS);
    const bidder = this.bidders[this.owners[position]!];
    if (bidder !== undefined && bidder !== null) visitor.visitBinding(bidder.binding);
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.match(key, message, visitor);
  }

  keyAffectedBy(): null {
    return null;
  }

  private auction(position: number, owners: Int32Array, bids: Float64Array): void {
    let owner = NOBODY;
    let best = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < this.bidders.length; index++) {
      const bid = this.bidders[index]?.bidFor(position) ?? Number.NEGATIVE_INFINITY;
      if (bid > best) {
        best = bid;
        owner = index;
      }
    }
    owners[position] = owner;
    bids[position] = best;
  }
}

class Bidder {
  readonly binding: Binding;
  private readonly seed: number;
  private readonly weight: number;

  constructor(binding: Binding) {
    this.binding = binding;
    this.seed = hashText(
      `${binding.destinationKind}/${binding.destination}/${binding.propertiesKey}`,
    );
    this.weight = Number(binding.routingKey);
  }

  /** Weighted rendezvous hashing: the chance to be highest is the weight's share of all weights. */
  bidFor(position: number): number {
    const uniform = (mix32(this.seed ^ Math.imul(position + 1, 0x9e3779b1)) + 0.5) / 0x1_0000_0000;
    return -this.weight / Math.log(uniform);
  }
}
