import type { EventLoopIdle } from '../../../telemetry/event-loop-idle.ts';
import type { MetricFamily } from '../../../telemetry/metric-family.ts';
import type { KafkaServices } from '../services.ts';
import { brokerFamilies } from './broker-families.ts';
import { groupFamilies } from './group-families.ts';
import type { GroupLags } from './group-lags.ts';
import { lagFamilies } from './lag-families.ts';
import { networkFamilies } from './network-families.ts';
import { partitionFamilies } from './partition-families.ts';
import { requestFamilies } from './request-families.ts';
import { topicFamilies } from './topic-families.ts';

/** What the front-end knows of its listeners and clients. */
export interface FrontendState {
  /** Open connections by listener. */
  readonly connections: ReadonlyMap<string, number>;
  /** Where clients find this broker, as host:port. */
  readonly address: string;
  readonly idle: EventLoopIdle;
  readonly lags: GroupLags;
}

/**
 * Metrics under the names that Strimzi's rules for Kafka's JMX exporter, kafka_exporter and kafka-lag-exporter give
 * them, so that existing dashboards and alerts work.
 */
export function* collectMetrics(
  services: KafkaServices,
  state: FrontendState,
): Iterable<MetricFamily> {
  yield* topicFamilies(services);
  yield* brokerFamilies(services, state.address);
  yield* networkFamilies(state);
  yield* partitionFamilies(services);
  const lags = state.lags.collect(services);
  yield* groupFamilies(lags);
  yield* lagFamilies(lags, services.broker.clusterId);
  yield* requestFamilies(services);
}
