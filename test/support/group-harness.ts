import { SeededRandom } from '../../src/base/random.ts';
import {
  createGroupCoordinator,
  type CoordinatorOptions,
  type GroupEvent,
  type OwnedGroupCoordinator,
} from '../../src/core/group/index.ts';
import type {
  GroupError,
  JoinRequest,
  JoinResponse,
  OffsetToCommit,
  SyncRequest,
  SyncResponse,
} from '../../src/core/group-types.ts';
import type { TopicRegistry, TopicView } from '../../src/core/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { ManualClock } from './manual-clock.ts';
import { NoteEngine, type Stored } from './note-engine.ts';

export const NAMESPACE = 'default';
export const GROUP = 'group';

/** An answer that may not have come yet. */
export interface Reply<T> {
  value: T | null;
  count: number;
}

/** Topics by name, as far as groups ask for them. */
export class TopicNames {
  readonly ids = new Map<string, Buffer>();

  add(name: string, fill = name.length): Buffer {
    const id = Buffer.alloc(16, fill);
    this.ids.set(name, id);
    return id;
  }

  get registry(): TopicRegistry {
    const own: Partial<TopicRegistry> = {
      byName: (_namespace, name) => {
        const id = this.ids.get(name);
        return id === undefined ? null : ({ id, name } as TopicView); // No more is asked for.
      },
    };
    return own as TopicRegistry; // No more is asked for.
  }
}

export interface HarnessOptions {
  readonly options?: Partial<CoordinatorOptions>;
  readonly stored?: Stored;
  readonly clock?: ManualClock;
  readonly topics?: TopicNames;
}

/** A coordinator on a manual clock and a note engine. */
export class GroupHarness {
  readonly clock: ManualClock;
  readonly engine: NoteEngine;
  readonly topics: TopicNames;
  readonly coordinator: OwnedGroupCoordinator;
  readonly events: GroupEvent[] = [];
  private readonly options: Partial<CoordinatorOptions>;

  constructor({ options = {}, stored, clock, topics }: HarnessOptions = {}) {
    this.options = options;
    this.clock = clock ?? new ManualClock();
    this.topics = topics ?? new TopicNames();
    this.engine = new NoteEngine(this.clock, stored);
    this.coordinator = createGroupCoordinator({
      engine: this.engine.engine,
      clock: this.clock,
      random: new SeededRandom(7),
      logger: silentLogger,
      topics: this.topics.registry,
      options,
      onEvent: (event) => void this.events.push(event),
    });
    for (const { log, note } of this.engine.stored.notes) this.coordinator.replayNote(log, note);
    this.coordinator.restore();
  }

  /** A harness whose namespace has its logs already. */
  static async ready(options: HarnessOptions = {}): Promise<GroupHarness> {
    const harness = new GroupHarness(options);
    harness.join({ groupId: 'warm-up', protocols: [] });
    await settled();
    return harness;
  }

  /** The same storage in a new process; what was not committed is gone. */
  restart(): GroupHarness {
    const stored = this.engine.crash();
    this.coordinator.close();
    return new GroupHarness({
      options: this.options,
      stored,
      clock: this.clock,
      topics: this.topics,
    });
  }

  join(request: Partial<JoinRequest> = {}): Reply<JoinResponse> {
    const reply: Reply<JoinResponse> = { value: null, count: 0 };
    this.coordinator.join(NAMESPACE, { ...joinDefaults, ...request }, (response) => {
      reply.value = response;
      reply.count++;
    });
    return reply;
  }

  sync(request: Partial<SyncRequest>): Reply<SyncResponse> {
    const reply: Reply<SyncResponse> = { value: null, count: 0 };
    this.coordinator.sync(NAMESPACE, { ...syncDefaults, ...request }, (response) => {
      reply.value = response;
      reply.count++;
    });
    return reply;
  }

  heartbeat(
    memberId: string,
    generation: number,
    more: { connectionId?: number } = {},
  ): GroupError {
    return this.coordinator.heartbeat(NAMESPACE, {
      groupId: GROUP,
      memberId,
      instanceId: null,
      generation,
      ...more,
    });
  }

  leave(...memberIds: string[]): readonly GroupError[] {
    const members = memberIds.map((memberId) => ({ memberId, instanceId: null, reason: null }));
    return this.coordinator.leave(NAMESPACE, GROUP, members).members;
  }

  commit(
    offsets: readonly Partial<OffsetToCommit>[],
    member: { groupId?: string; memberId?: string; generation?: number } = {},
  ): Reply<{ error: GroupError; perOffset: readonly GroupError[] }> {
    const reply: Reply<{ error: GroupError; perOffset: readonly GroupError[] }> = {
      value: null,
      count: 0,
    };
    this.coordinator.commitOffsets(
      NAMESPACE,
      { groupId: GROUP, memberId: '', instanceId: null, generation: -1, ...member },
      offsets.map((offset) => {
        const topic = offset.topic ?? 'orders';
        const topicId = this.topics.ids.get(topic) ?? Buffer.alloc(16);
        return {
          topic,
          topicId,
          partition: 0,
          offset: 0,
          leaderEpoch: -1,
          metadata: '',
          ...offset,
        };
      }),
      (error, perOffset) => {
        reply.value = { error, perOffset };
        reply.count++;
      },
    );
    return reply;
  }

  offset(topic = 'orders', partition = 0, groupId = GROUP): number | null {
    return this.coordinator.committedOffset(NAMESPACE, groupId, topic, partition)?.offset ?? null;
  }

  /** Joins the members, lets the first lead, and syncs all: a stable group. Returns their ids in order. */
  stabilize(requests: readonly Partial<JoinRequest>[]): StableGroup {
    const ids: string[] = [];
    let round = requests.map((request) => this.join(request));
    // Everybody who came after the first joins again with the id they were given, until all share a generation.
    for (let turn = 0; turn < 5; turn++) {
      round = round.map((reply, index) => {
        const memberId = reply.value?.memberId;
        if (reply.value === null) return reply;
        return this.join({ ...requests[index], memberId: memberId ?? '' });
      });
      if (this.state() === 'completing-rebalance' && round.every(({ value }) => value !== null)) {
        break;
      }
    }
    const generation = round[0]?.value?.generation ?? -1;
    const leaderId = round[0]?.value?.leaderId ?? '';
    for (const { value } of round) ids.push(value?.memberId ?? '');
    const assignments = ids.map((memberId) => ({
      memberId,
      assignment: Buffer.from(`for ${memberId}`),
    }));
    for (const memberId of ids) {
      this.sync({ memberId, generation, ...(memberId === leaderId ? { assignments } : {}) });
    }
    this.clock.advance(0);
    return { ids, generation, leaderId };
  }

  state(groupId = GROUP): string | null {
    return this.coordinator.describe(NAMESPACE, groupId)?.state ?? null;
  }
}

export interface StableGroup {
  readonly ids: readonly string[];
  readonly generation: number;
  readonly leaderId: string;
}

/** Lets the promises of namespace creation settle. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

const joinDefaults: JoinRequest = {
  groupId: GROUP,
  memberId: '',
  instanceId: null,
  clientId: 'client',
  clientHost: '127.0.0.1',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 30_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('meta') }],
  requireKnownMemberId: false,
  connectionId: 1,
  supportsSkipAssignment: true,
  reason: null,
  subscribedTopics: null,
};

const syncDefaults: SyncRequest = {
  groupId: GROUP,
  memberId: '',
  instanceId: null,
  generation: -1,
  protocolType: null,
  protocolName: null,
  assignments: [],
};
