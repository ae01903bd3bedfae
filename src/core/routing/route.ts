import type { TopicView } from '../types.ts';
import type { Exchange } from './exchange.ts';
import type { TargetSet } from './queue-sink.ts';
import type { KeyTemplate } from './records/key-template.ts';

/** A topic that gets a message, and how its record's key is made. */
export interface TopicRoute {
  readonly topic: TopicView;
  readonly key: KeyTemplate;
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
