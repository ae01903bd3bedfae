/** What happened to groups, for the event bus. */
export type GroupEvent =
  | {
      readonly type: 'group-rebalancing';
      readonly namespace: string;
      readonly groupId: string;
      readonly generation: number;
      readonly reason: string;
    }
  | {
      readonly type: 'group-rebalanced';
      readonly namespace: string;
      readonly groupId: string;
      readonly generation: number;
      readonly members: number;
      readonly protocolName: string;
    }
  | {
      readonly type: 'group-emptied';
      readonly namespace: string;
      readonly groupId: string;
      readonly generation: number;
    }
  | {
      readonly type: 'group-deleted';
      readonly namespace: string;
      readonly groupId: string;
      readonly cause: 'request' | 'expired';
    }
  | {
      readonly type: 'member-joined' | 'member-left';
      readonly namespace: string;
      readonly groupId: string;
      readonly memberId: string;
      readonly instanceId: string | null;
    }
  | {
      readonly type: 'member-evicted';
      readonly namespace: string;
      readonly groupId: string;
      readonly memberId: string;
      readonly instanceId: string | null;
      readonly cause: EvictionCause;
    };

export type EvictionCause =
  'session-timeout' | 'disconnected' | 'join-timeout' | 'sync-timeout' | 'not-rejoined';

/** Plain counters and gauges of all groups of a broker, read at scrape time. */
export interface GroupStats {
  groups: number;
  members: number;
  rebalances: number;
  evictions: number;
  offsetCommits: number;
  offsetExpirations: number;
  offsetDeletions: number;
}
