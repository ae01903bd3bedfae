/**
 * Where our definitions differ from the official ones on purpose: message or API name -> version range that only one
 * side has, and why. compare.ts fails for any difference that is not listed, and for a listed one that is not there.
 */
export const DEVIATIONS: Readonly<
  Record<string, { readonly versions: string; readonly why: string }>
> = {
  CreateTopics: { versions: 'ours 0-1', why: 'dropped by Kafka 4, sent by older clients' },
  DeleteTopics: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
  InitProducerId: { versions: 'official 6', why: 'two-phase commit, unstable in Kafka' },
  OffsetForLeaderEpoch: { versions: 'ours 0-1', why: 'dropped by Kafka 4, sent by older clients' },
  DescribeAcls: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
  CreateAcls: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
  DeleteAcls: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
  DescribeConfigs: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
  AlterReplicaLogDirs: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
  DescribeLogDirs: { versions: 'ours 0', why: 'dropped by Kafka 4, sent by older clients' },
};
