import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Authorizer } from '../security/authorizer.ts';
import type { Security } from '../security/security.ts';
import type { LogEngine } from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TaskGroup } from '../base/task-group.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import type { EventBus } from './events.ts';
import type { GroupCoordinator } from './group-types.ts';
import type { Limits } from './limits.ts';
import type { NamespaceStore } from './namespace/namespace-store.ts';
import type { Usage } from './namespace/usage.ts';
import type { ParameterStore } from './parameters/parameter-store.ts';
import type { PolicyStore } from './policy/policy-store.ts';
import type { PropertiesReaders } from './message/properties.ts';
import type { QueueRegistry } from './queue-types.ts';
import type { QuotaRegistry } from './quota/quota-registry.ts';
import type { Router } from './routing-types.ts';
import type { SettingsStore } from './settings.ts';
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
  /** Users, permissions, and the ways to log in. */
  readonly security: Security;
  readonly namespaces: NamespaceStore;
  /** Connections and channels counted against the limits of namespaces and users. */
  readonly usage: Usage;
  readonly policies: PolicyStore;
  readonly parameters: ParameterStore;
  readonly groups: GroupCoordinator;
  readonly queues: QueueRegistry;
  /** Exchanges and bindings, and the way of messages through them. */
  readonly router: Router;
  /** How the raw properties of each protocol's messages are read. */
  readonly messages: PropertiesReaders;
  /** What changes is told here: topics, settings, groups, the disk. */
  readonly events: EventBus;
  /** Timeouts of requests and the like: cheap to start, move and cancel. */
  readonly timers: TimerWheel;
  /** Background work that close() waits for. */
  readonly tasks: TaskGroup;
  /** Settings changed at run time. */
  readonly settings: SettingsStore;
  readonly quotas: QuotaRegistry;
  readonly limits: Limits;
  /** A block of fresh producer ids was made durable; resolves with one of them. Never handed out twice. */
  allocateProducerId(): Promise<number>;
}
