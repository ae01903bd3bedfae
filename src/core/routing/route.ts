import type { TopicView } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { TargetSet } from './queue-sink.ts';

/** A topic that gets a message, and how its record's key is made; null: it is the routing key. */
export interface TopicRoute {
  readonly topic: TopicView;
  readonly keyTemplate: string | null;
}

/** Where the messages of an exchange go, for one key or for all. Immutable. */
export interface Route {
  /** False: each message is looked at, and this holds for one at most. */
  readonly fixed: boolean;
  /** False: it is the route of every key. */
  readonly dependsOnKey: boolean;
  /** All its queues; null: none. */
  readonly queues: TargetSet | null;
  readonly queueCount: number;
  readonly topics: readonly TopicRoute[];
  /** Exchanges where the message waits first. */
  readonly delaying: readonly Exchange[];
}
