import type { QueueView } from '../queue-types.ts';
import type { TopicView } from '../types.ts';
import type { Binding } from './binding.ts';
import type { TargetSet } from './queue-sink.ts';
import { KeyTemplate } from './records/key-template.ts';

/** A queue as the end of routes. */
export class QueueTarget {
  readonly kind = 'queue';
  readonly queue: QueueView;
  /** Orders the targets of a set, so that one set of queues is written in one way. */
  readonly id: number;
  /** The set of this queue alone. */
  readonly alone: TargetSet;
  /** It is in a set with others that is remembered. */
  shared = false;
  /** Bindings that lead here; null: there never was one. */
  incoming: Set<Binding> | null = null;
  /** The walk that reached it last. */
  walk = 0;

  constructor(queue: QueueView, id: number, alone: TargetSet) {
    this.queue = queue;
    this.id = id;
    this.alone = alone;
  }
}

/** A topic as the end of routes. */
export class TopicTarget {
  readonly kind = 'topic';
  readonly topic: TopicView;
  /** As the default exchange routes to it: its own name is no key. */
  readonly key = KeyTemplate.none;
  incoming: Set<Binding> | null = null;
  walk = 0;

  constructor(topic: TopicView) {
    this.topic = topic;
  }
}
