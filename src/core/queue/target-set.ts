import type { Bundle } from '../message/bundle.ts';
import { type Lane, NO_LOG } from './lane.ts';
import type { Queue } from './queue.ts';

/** The lanes that a message goes into: one of each queue of a set. */
export class LaneSet {
  readonly lanes: readonly Lane[];
  readonly durable: readonly Lane[];
  readonly logs: readonly number[];
  /** Some lane keeps its bundles in memory. */
  readonly keeps: boolean;
  /** The bundle that takes messages now. */
  bundle: Bundle | null = null;

  constructor(lanes: readonly Lane[]) {
    this.lanes = lanes;
    this.durable = lanes.filter(({ log }) => log !== NO_LOG);
    this.logs = this.durable.map(({ log }) => log);
    this.keeps = this.durable.length < lanes.length;
  }
}

/** Queues that messages are routed to together. Make it once for each set of queues: its bundles are shared. */
export class TargetSet {
  readonly queues: readonly Queue[];
  /** Of the priorities asked for so far; [0] when no queue has priorities. */
  private readonly laneSets: (LaneSet | undefined)[] = [];
  private readonly maxPriority: number;
  /** Sets that lack some of the queues, by which ones they have. */
  private subsets: Map<string, TargetSet> | null = null;

  constructor(queues: readonly Queue[]) {
    this.queues = queues;
    this.maxPriority = queues.reduce((max, queue) => Math.max(max, queue.lanes.length - 1), 0);
  }

  /** priority: -1 or 0 to 255. */
  laneSet(priority: number): LaneSet {
    const level = priority <= 0 ? 0 : Math.min(priority, this.maxPriority);
    return this.laneSets[level] ?? this.newLaneSet(level);
  }

  /** The set of these queues of it. */
  subset(queues: readonly Queue[]): TargetSet {
    if (queues.length === this.queues.length) return this;
    const key = queues.map((queue) => queue.id).join(' ');
    this.subsets ??= new Map();
    let subset = this.subsets.get(key);
    if (subset === undefined) {
      // Only while queues refuse: a handful, but for sets whose members fill up at random.
      if (this.subsets.size >= 64) this.subsets.clear();
      subset = new TargetSet(queues);
      this.subsets.set(key, subset);
    }
    return subset;
  }

  private newLaneSet(level: number): LaneSet {
    const set = new LaneSet(this.queues.map((queue) => queue.laneFor(level)));
    this.laneSets[level] = set;
    return set;
  }
}
