import type { QueueSink, TargetSet } from './queue-sink.ts';
import type { QueueTarget } from './target.ts';

/** Sets that are remembered before all are forgotten. */
const NODES_MAX = 65_536;
const SHORT = 16;

/** The queues on the way to here are a set of their own, or the beginning of others. */
class SetNode {
  readonly next = new Map<QueueTarget, SetNode>();
  set: TargetSet | null = null;
}

/** Makes one target set for the same queues, so that messages with the same destinations travel together. */
export class TargetSets {
  private readonly sink: QueueSink;
  private readonly nodesMax: number;
  private root = new SetNode();
  private nodes = 0;

  constructor(sink: QueueSink, nodesMax = NODES_MAX) {
    this.sink = sink;
    this.nodesMax = nodesMax;
  }

  /** The targets, none of them twice, are sorted in place. */
  of(targets: QueueTarget[]): TargetSet | null {
    const [first] = targets;
    if (first === undefined) return null;
    if (targets.length === 1) return first.alone;
    sortById(targets);
    let node = this.root;
    for (const target of targets) {
      let next = node.next.get(target);
      if (next === undefined) {
        next = new SetNode();
        target.shared = true;
        node.next.set(target, next);
        this.nodes++;
      }
      node = next;
    }
    const set = (node.set ??= this.sink.targetSet(targets.map((target) => target.queue)));
    if (this.nodes > this.nodesMax) this.clear();
    return set;
  }

  /** Forgets all; sets that are in use stay valid. */
  clear(): void {
    if (this.nodes === 0) return;
    this.root = new SetNode();
    this.nodes = 0;
  }
}

function sortById(targets: QueueTarget[]): void {
  if (targets.length > SHORT) {
    targets.sort((a, b) => a.id - b.id);
    return;
  }
  for (let i = 1; i < targets.length; i++) {
    const target = targets[i]!;
    let place = i;
    while (place > 0 && targets[place - 1]!.id > target.id) {
      targets[place] = targets[place - 1]!;
      place--;
    }
    targets[place] = target;
  }
}
