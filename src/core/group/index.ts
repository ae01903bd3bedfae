import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { LogEngine, LogId } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { MetricSource } from '../../telemetry/metric-family.ts';
import type { GroupCoordinator } from '../group-types.ts';
import type { TopicRegistry } from '../types.ts';
import { Coordinator } from './coordinator.ts';
import type { GroupEvent, GroupStats } from './events.ts';
import { COORDINATOR_DEFAULTS, type CoordinatorOptions } from './options.ts';

export type { GroupEvent, GroupStats } from './events.ts';
export type { CoordinatorOptions } from './options.ts';

export interface CoordinatorDependencies {
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Asked by name and id when offsets are read and when restore() drops those of deleted topics. */
  readonly topics: TopicRegistry;
  readonly options?: Partial<CoordinatorOptions>;
  readonly onEvent?: (event: GroupEvent) => void;
}

/**
 * The coordinator as the broker that owns it sees it. Life: replayNote for every note of the engine's open()
 * (notes of other logs may be offered, too, and are ignored), then restore() once the engine is open and the
 * topics are known, then requests, then close().
 */
export interface OwnedGroupCoordinator extends GroupCoordinator, MetricSource {
  /** A note that was journalled after the last checkpoint. The bytes are copied. */
  replayNote(log: LogId, note: Buffer): void;
  /** Builds the groups from snapshots and replayed notes; members get a fresh session timeout. */
  restore(): void;
  /** A topic is gone: so are the offsets committed for it. */
  topicDeleted(topicId: Buffer): void;
  stats(): GroupStats;
  /** Answers everything that waits with coordinator-unavailable and stops all timers. Idempotent. */
  close(): void;
}

/** Consumer groups of one broker. */
export function createGroupCoordinator(
  dependencies: CoordinatorDependencies,
): OwnedGroupCoordinator {
  return new Coordinator({
    ...dependencies,
    onEvent: dependencies.onEvent ?? (() => {}),
    options: { ...COORDINATOR_DEFAULTS, ...dependencies.options },
  });
}
