import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { GroupError } from '../group-types.ts';
import type { GroupEvent, GroupStats } from './events.ts';
import type { GroupRecord } from './group-record.ts';
import type { CoordinatorOptions } from './options.ts';
import type { ConnectionIndex } from './session.ts';

/** What one group needs from the coordinator around it. */
export interface GroupHost {
  readonly clock: Clock;
  readonly options: CoordinatorOptions;
  readonly logger: Logger;
  readonly stats: GroupStats;
  readonly connections: ConnectionIndex;
  /** A fresh member id that begins with the prefix. */
  newMemberId(prefix: string): string;
  /** Journals the group's record; settled is told once whether it became durable, at once or in a later turn. */
  persist(groupId: string, record: GroupRecord, settled: (error: GroupError) => void): void;
  emit(event: GroupEvent): void;
  /** Nobody is in the group or on the way into it: it may be forgotten if it holds nothing else. */
  vacated(groupId: string): void;
}

export interface GroupNames {
  readonly namespace: string;
  readonly groupId: string;
}
