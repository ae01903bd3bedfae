import { createAclsHandler, deleteAclsHandler, describeAclsHandler } from './acls.ts';
import { alterConfigsHandler } from './alter-configs.ts';
import { apiVersionsHandler } from './api-versions.ts';
import { alterClientQuotasHandler, describeClientQuotasHandler } from './client-quotas.ts';
import { createPartitionsHandler } from './create-partitions.ts';
import { createTopicsHandler } from './create-topics.ts';
import { deleteRecordsHandler } from './delete-records.ts';
import { deleteTopicsHandler } from './delete-topics.ts';
import { describeClusterHandler } from './describe-cluster.ts';
import { describeConfigsHandler } from './describe-configs.ts';
import { describeLogDirsHandler } from './describe-log-dirs.ts';
import { describeProducersHandler } from './describe-producers.ts';
import { describeQuorumHandler } from './describe-quorum.ts';
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts';
import { describeUserScramCredentialsHandler } from './describe-user-scram-credentials.ts';
import { electLeadersHandler } from './elect-leaders.ts';
import { fetchHandler } from './fetch.ts';
import { GROUP_HANDLERS } from './group/index.ts';
import type { ApiHandler } from './handler.ts';
import { incrementalAlterConfigsHandler } from './incremental-alter-configs.ts';
import { initProducerIdHandler } from './init-producer-id.ts';
import { listConfigResourcesHandler } from './list-config-resources.ts';
import { listOffsetsHandler } from './list-offsets.ts';
import { metadataHandler } from './metadata.ts';
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch.ts';
import {
  alterPartitionReassignmentsHandler,
  listPartitionReassignmentsHandler,
} from './partition-reassignments.ts';
import { produceHandler } from './produce.ts';
import { describeTransactionsHandler, listTransactionsHandler } from './transactions.ts';
import { updateFeaturesHandler } from './update-features.ts';

/** Every API that is served, and so told by ApiVersions. */
export const API_HANDLERS: readonly ApiHandler[] = [
  produceHandler,
  fetchHandler,
  listOffsetsHandler,
  metadataHandler,
  ...GROUP_HANDLERS,
  apiVersionsHandler,
  createTopicsHandler,
  deleteTopicsHandler,
  deleteRecordsHandler,
  initProducerIdHandler,
  offsetForLeaderEpochHandler,
  describeAclsHandler,
  createAclsHandler,
  deleteAclsHandler,
  describeConfigsHandler,
  alterConfigsHandler,
  describeLogDirsHandler,
  createPartitionsHandler,
  electLeadersHandler,
  incrementalAlterConfigsHandler,
  alterPartitionReassignmentsHandler,
  listPartitionReassignmentsHandler,
  describeClientQuotasHandler,
  alterClientQuotasHandler,
  describeUserScramCredentialsHandler,
  describeQuorumHandler,
  updateFeaturesHandler,
  describeClusterHandler,
  describeProducersHandler,
  describeTransactionsHandler,
  listTransactionsHandler,
  listConfigResourcesHandler,
  describeTopicPartitionsHandler,
];
