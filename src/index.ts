/**
 * The embedded API: a Lyrebird broker inside this process, for tests and for programs that bring their own.
 *
 *   await using broker = await createBroker()
 *   new Kafka({ brokers: [broker.bootstrapServers] })
 */
export {
  createBroker,
  type BrokerAddress,
  type BrokerOptions,
  type EmbeddedListener,
  type EmbeddedStorage,
  type LyrebirdBroker,
} from './server/embedded/create-broker.ts';
export type { EmbeddedGroups } from './server/embedded/groups.ts';
export type { EmbeddedTopics, NewTopicOptions, TopicInfo } from './server/embedded/topics.ts';
export type { WaitOptions } from './server/embedded/wait.ts';
export { LyrebirdError, type ErrorCode } from './base/errors.ts';
export type { Logger, LogFields } from './telemetry/logger.ts';
