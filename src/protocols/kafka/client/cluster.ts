import { notAnswered } from '../../../net/dial.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import type { MetadataResponse, MetadataResponseTopic } from '../codec/generated/metadata.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { refusalCode, refused } from './client-error.ts';
import { KafkaConnection, type ConnectionSettings } from './connection.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ClusterSettings extends ConnectionSettings {
  /** Any of the cluster's brokers; tried in order. */
  readonly bootstrap: readonly BrokerAddress[];
}

export interface PartitionLeader {
  readonly index: number;
  /** Node id, or -1 while there is none. */
  readonly leader: number;
}

const RETRY_DELAY_MS = 100;
const RETRIABLE = new Set<number>([
  KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  KAFKA_ERROR.LEADER_NOT_AVAILABLE,
  KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER,
  KAFKA_ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  KAFKA_ERROR.COORDINATOR_NOT_AVAILABLE,
  KAFKA_ERROR.NOT_COORDINATOR,
]);

/** The brokers of a cluster: who leads what, and one connection to each. */
export class KafkaCluster {
  readonly settings: ClusterSettings;
  private readonly nodes = new Map<number, BrokerAddress>();
  private readonly connections = new Map<string, Promise<KafkaConnection>>();
  private isClosed = false;

  constructor(settings: ClusterSettings) {
    this.settings = settings;
  }

  /** Partitions of a topic, each with a leader. create: the broker may make the topic. */
  async partitions(topic: string, options: { create: boolean }): Promise<PartitionLeader[]> {
    return this.retry(`metadata of topic ${topic}`, async () => {
      const found = await this.metadata([topic], options.create);
      const info = found.topics[0];
      if (info === undefined) throw refused(topic, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
      // Without creation an unknown topic stays unknown: waiting would not help.
      const missing = info.errorCode === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION && !options.create;
      if (missing) {
        throw new FinalError('not retried', { cause: refused(`topic ${topic}`, info.errorCode) });
      }
      if (info.errorCode !== 0) throw refused(`topic ${topic}`, info.errorCode);
      return leadersOf(topic, info);
    });
  }

  /** Names of all topics but internal ones. */
  async topicNames(): Promise<string[]> {
    const { topics } = await this.metadata(null, false);
    return topics.filter((topic) => !topic.isInternal).map((topic) => topic.name ?? '');
  }

  /** The connection to a broker by its node id, opened when there is none. */
  node(id: number): Promise<KafkaConnection> {
    const address = this.nodes.get(id);
    if (address === undefined) throw refused(`node ${id}`, KAFKA_ERROR.BROKER_NOT_AVAILABLE);
    return this.connect(address);
  }

  /** The connection to the broker that coordinates a group. */
  async coordinator(group: string): Promise<KafkaConnection> {
    return this.retry(`the coordinator of group ${group}`, async () => {
      const response = await (
        await this.any()
      ).request(API_CODECS.FindCoordinator, { key: group, keyType: 0, coordinatorKeys: [group] });
      const answer = response.coordinators[0] ?? response;
      if (answer.errorCode !== 0) throw refused(`coordinator of group ${group}`, answer.errorCode);
      return this.connect({ host: answer.host, port: answer.port });
    });
  }

  /** Repeats while the answer is that something is not there yet, until the timeout. */
  async retry<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.settings.timeoutMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof FinalError) throw error.cause;
        const code = refusalCode(error);
        if (code === null || !RETRIABLE.has(code)) throw error;
        if (this.isClosed || performance.now() > deadline) {
          throw code === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION
            ? error
            : notAnswered(what, 'the cluster');
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
      }
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const open = [...this.connections.values()];
    this.connections.clear();
    for (const connection of await Promise.allSettled(open)) {
      if (connection.status === 'fulfilled') connection.value.close();
    }
  }

  private async metadata(
    topics: readonly string[] | null,
    create: boolean,
  ): Promise<MetadataResponse> {
    const connection = await this.any();
    const response = await connection.request(API_CODECS.Metadata, {
      topics: topics?.map((name) => ({ name, topicId: ZERO_UUID })) ?? null,
      allowAutoTopicCreation: create,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    for (const { nodeId, host, port } of response.brokers) this.nodes.set(nodeId, { host, port });
    return response;
  }

  /** A connection to any broker: an open one, else the first of the bootstrap list that answers. */
  private async any(): Promise<KafkaConnection> {
    for (const open of this.connections.values()) {
      const connection = await open.catch(() => null);
      if (connection !== null && !connection.closed) return connection;
    }
    let failure: unknown = null;
    for (const address of this.settings.bootstrap) {
      try {
        return await this.connect(address);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  private async connect(address: BrokerAddress): Promise<KafkaConnection> {
    const name = `${address.host}:${address.port}`;
    const open = this.connections.get(name);
    if (open !== undefined) {
      const connection = await open.catch(() => null);
      if (connection !== null && !connection.closed) return connection;
      if (this.connections.get(name) !== open) return this.connect(address);
    }
    const opening = KafkaConnection.open(address.host, address.port, this.settings);
    this.connections.set(name, opening);
    return opening;
  }
}

/** Ends a retry although its cause looks as if waiting could help. */
class FinalError extends Error {}

function leadersOf(topic: string, info: MetadataResponseTopic): PartitionLeader[] {
  for (const partition of info.partitions) {
    if (partition.errorCode !== 0) {
      throw refused(`partition ${topic}-${partition.partitionIndex}`, partition.errorCode);
    }
  }
  return info.partitions
    .map(({ partitionIndex, leaderId }) => ({ index: partitionIndex, leader: leaderId }))
    .sort((a, b) => a.index - b.index);
}
