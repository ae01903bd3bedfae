/**
 * The JSON of the admin API, version 1: what `/api/v1/...` answers and takes, and what the command line reads.
 * Sizes are bytes, durations ms, instants ISO 8601 text. Members may be added; none changes its meaning.
 *
 *   GET    /api/v1/broker                        BrokerInfo
 *   GET    /api/v1/status                        StatusInfo
 *   GET    /api/v1/topics                        { topics: TopicSummary[] }
 *   POST   /api/v1/topics                        CreateTopicBody -> 201 TopicDetail (200 when dryRun)
 *   GET    /api/v1/topics/:topic                 TopicDetail
 *   DELETE /api/v1/topics/:topic                 204
 *   POST   /api/v1/topics/:topic/partitions      AddPartitionsBody -> TopicDetail
 *   POST   /api/v1/topics/:topic/trim            TrimBody -> TrimResult
 *   GET    /api/v1/topics/:topic/config          { config: ConfigEntry[] }
 *   PATCH  /api/v1/topics/:topic/config          AlterTopicConfigBody -> { config: ConfigEntry[] }
 *   GET    /api/v1/groups                        { groups: GroupSummary[] }
 *   GET    /api/v1/groups/:group                 GroupDetail
 *   DELETE /api/v1/groups/:group                 204
 *   POST   /api/v1/groups/:group/offsets         SeekBody -> SeekResult
 *   DELETE /api/v1/groups/:group/offsets         DeleteOffsetsBody -> DeleteOffsetsResult
 *   GET    /api/v1/config                        { config: ConfigEntry[] }
 *   GET    /api/v1/listeners                     { listeners: ListenerInfo[] }
 *   GET    /api/v1/connections                   { connections: ConnectionInfo[] }
 *   DELETE /api/v1/connections/:id               204
 *   GET    /api/v1/limits                        { limits: LimitInfo[] }
 *   any    /api/v1/parts/amqp/...                what docs/reference/management-api.md has under /api
 *   POST   /api/v1/commands/:command             CommandBody -> CommandResult
 *
 * Names in paths are percent-encoded. Every route takes `?namespace=` where names belong to one.
 * Anything but 2xx is an ErrorBody.
 */
export interface ErrorBody {
  readonly error: {
    /** Stable: an LBnnnn code of docs/reference/errors.md, or one of the words of ApiErrorCode. */
    readonly code: ApiErrorCode;
    readonly message: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

export type ApiErrorCode =
  | 'invalid-request'
  | 'not-found'
  | 'exists'
  | 'conflict'
  | 'forbidden'
  | 'limit'
  | 'too-large'
  | 'unavailable'
  | 'internal'
  | `LB${number}`;

export interface BrokerInfo {
  readonly version: string;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly storage: {
    readonly kind: 'disk' | 'memory';
    readonly path: string | null;
    readonly durability: string;
  };
  readonly listeners: readonly ListenerInfo[];
}

export interface ComponentHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string | null;
}

export interface StatusInfo {
  readonly ready: boolean;
  readonly components: readonly ComponentHealth[];
  readonly uptimeMs: number;
  readonly topics: number;
  readonly partitions: number;
  readonly groups: number;
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly disk: {
    readonly state: string;
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly journalBytes: number;
    readonly segmentBytes: number;
  };
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number };
}

export interface TopicSummary {
  readonly name: string;
  /** Url-safe base64 of the 16 bytes, 22 characters. */
  readonly id: string;
  readonly namespace: string;
  readonly partitions: number;
  readonly internal: boolean;
  /** Records that can be read now, over all partitions. */
  readonly records: number;
  readonly bytes: number;
}

export interface PartitionInfo {
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly logStart: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly bytes: number;
}

export interface TopicDetail extends TopicSummary {
  readonly partitionList: readonly PartitionInfo[];
  /** Settings given for this topic, as text; defaults are in /config. */
  readonly overrides: Readonly<Record<string, string>>;
}

export interface CreateTopicBody {
  readonly name: string;
  /** Default: the broker's default. */
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
  /** Only check. */
  readonly dryRun?: boolean;
}

export interface AddPartitionsBody {
  /** The number of partitions to have afterwards. */
  readonly total: number;
}

export interface TrimBody {
  /** Default: all. */
  readonly partitions?: readonly number[] | undefined;
  /** Everything before it is deleted; 'latest' deletes all. */
  readonly before: number | 'latest';
}

export interface TrimResult {
  readonly partitions: readonly {
    readonly partition: number;
    readonly logStart: number | null;
    readonly error: string | null;
  }[];
}

export interface AlterTopicConfigBody {
  readonly set?: Readonly<Record<string, string>>;
  /** Names that return to their default. */
  readonly unset?: readonly string[];
  readonly dryRun?: boolean;
}

export interface ConfigEntry {
  readonly name: string;
  readonly value: string | null;
  /** 'topic', 'default' for topics; 'flag', 'environment', 'file', 'default' for the broker. */
  readonly origin: string;
  readonly sensitive: boolean;
  readonly documentation: string | null;
}

export interface GroupSummary {
  readonly group: string;
  readonly namespace: string;
  readonly state: string;
  readonly protocolType: string;
  readonly members: number;
  readonly totalLag: number;
}

export interface GroupMemberInfo {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  readonly sessionTimeoutMs: number;
}

export interface GroupOffsetInfo {
  readonly topic: string;
  readonly partition: number;
  readonly committed: number;
  readonly logStart: number | null;
  readonly highWatermark: number | null;
  /** Null when the partition no longer exists. */
  readonly lag: number | null;
  readonly metadata: string;
  readonly committedAt: string;
}

export interface GroupDetail extends GroupSummary {
  readonly generation: number;
  readonly protocolName: string;
  readonly memberList: readonly GroupMemberInfo[];
  readonly offsets: readonly GroupOffsetInfo[];
}

/** Where to move a group's offsets: exactly one member is given. */
export type SeekTarget =
  | { readonly to: 'earliest' | 'latest' }
  | { readonly offset: number }
  /** Relative to the committed offset; negative goes back. */
  | { readonly shift: number }
  /** First record at or after this instant: ms since the epoch, or ISO 8601. */
  | { readonly time: number | string }
  /** What that other group has committed. */
  | { readonly group: string };

export interface SeekBody {
  readonly target: SeekTarget;
  /** Default: all topics the group has committed offsets for. */
  readonly topics?: readonly { readonly topic: string; readonly partitions?: readonly number[] }[];
  /** True unless false is said. */
  readonly dryRun?: boolean;
}

export interface SeekResult {
  readonly dryRun: boolean;
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly from: number | null;
    readonly to: number | null;
    /** Why this partition was or would be left alone. */
    readonly error: string | null;
  }[];
}

export interface DeleteOffsetsBody {
  readonly topic: string;
  /** Default: all that have an offset. */
  readonly partitions?: readonly number[] | undefined;
}

export interface DeleteOffsetsResult {
  readonly partitions: readonly { readonly partition: number; readonly error: string | null }[];
}

export interface ListenerInfo {
  readonly name: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
}

export interface ConnectionInfo {
  readonly id: number;
  readonly listener: string;
  readonly remote: string;
  readonly local: string;
  readonly tls: boolean;
  readonly openedAt: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly outputPending: number;
  readonly congested: boolean;
}

export interface LimitInfo {
  readonly name: string;
  /** Null: unlimited. */
  readonly limit: number | null;
  readonly used: number | null;
  readonly unit: string;
  /** What happens when it is reached. */
  readonly overflow: string;
}

/** A command of another broker's tools, as it was given: rabbitmqctl. */
export interface CommandBody {
  readonly args: readonly string[];
  /** What the command would read from a file or the standard input. */
  readonly input?: string | null;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}
