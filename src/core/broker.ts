import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Authorizer } from '../security/authorizer.ts';
import type { LogEngine } from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { GroupCoordinator } from './group-types.ts';
import type { TopicRegistry } from './types.ts';

/** The composed broker as protocol front-ends see it. */
export interface Broker {
  /** 22 characters, url-safe base64 of the storage's cluster id. */
  readonly clusterId: string;
  readonly nodeId: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly engine: LogEngine;
  readonly authorizer: Authorizer;
  readonly topics: TopicRegistry;
  readonly groups: GroupCoordinator;
  /** A block of fresh producer ids was made durable; resolves with one of them. Never handed out twice. */
  allocateProducerId(): Promise<number>;
}
