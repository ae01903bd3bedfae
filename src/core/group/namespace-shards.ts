import { strict as assert } from 'node:assert';
import type { NewLog } from '../../storage/types.ts';
import type { GroupError } from '../group-types.ts';
import { GroupShard, type ShardContext } from './shard.ts';

const META_PREFIX = 'group-logs/';

/** The logs of a namespace's groups, made when the first group needs them. */
export class NamespaceShards {
  readonly namespace: string;
  private readonly context: ShardContext;
  private shards: readonly GroupShard[];
  private waiting: { readonly work: () => void; readonly refuse: (error: GroupError) => void }[] =
    [];
  private creating = false;
  private closed = false;

  constructor(context: ShardContext, namespace: string, shards: readonly GroupShard[]) {
    this.context = context;
    this.namespace = namespace;
    this.shards = shards;
  }

  /** The namespaces that have logs. */
  static load(context: ShardContext): readonly NamespaceShards[] {
    return context.engine.meta.range(META_PREFIX).map(({ key, value }) => {
      const namespace = decodeURIComponent(key.slice(META_PREFIX.length));
      const shards = parseLogs(value).map((log) => new GroupShard(context, namespace, log));
      return new NamespaceShards(context, namespace, shards);
    });
  }

  all(): readonly GroupShard[] {
    return this.shards;
  }

  /** The shard of a group; null while the namespace has none. */
  of(groupId: string): GroupShard | null {
    if (this.shards.length === 0) return null;
    return this.shards[hash(groupId) % this.shards.length] ?? null;
  }

  /** Does the work once the shards are there, in order of asking; refuses when that fails. */
  whenReady(work: () => void, refuse: (error: GroupError) => void): void {
    if (this.shards.length > 0) {
      work();
    } else if (this.closed || this.waiting.length >= this.context.options.pendingRequestsMax) {
      refuse('coordinator-unavailable');
    } else {
      this.waiting.push({ work, refuse });
      if (!this.creating) void this.create();
    }
  }

  close(): void {
    this.closed = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const { refuse } of waiting) refuse('coordinator-unavailable');
    for (const shard of this.shards) shard.kill('coordinator-unavailable');
  }

  /** Never rejects. */
  private async create(): Promise<void> {
    this.creating = true;
    let failure: unknown = null;
    try {
      const shards = await this.createLogs();
      if (!this.closed) this.shards = shards;
    } catch (error) {
      failure = error;
    }
    this.creating = false;
    const waiting = this.waiting;
    this.waiting = [];
    if (failure !== null) {
      this.context.logger.error('group.logs-failed', 'the logs for group state cannot be made', {
        namespace: this.namespace,
        error: failure,
      });
    }
    for (const { work, refuse } of waiting) {
      if (this.shards.length > 0) work();
      else refuse('coordinator-unavailable');
    }
  }

  private async createLogs(): Promise<readonly GroupShard[]> {
    const { engine, options } = this.context;
    const key = META_PREFIX + encodeURIComponent(this.namespace);
    const first = await engine.allocateLogIds(options.shardsPerNamespace);
    const createLogs: NewLog[] = Array.from({ length: options.shardsPerNamespace }, (_, index) => ({
      id: first + index,
      name: `groups/${this.namespace}/${index}`,
      spec: {
        durability: options.durability,
        retentionMs: Number.POSITIVE_INFINITY,
        retentionBytes: Number.POSITIVE_INFINITY,
        segmentBytes: 64 * 1024 * 1024,
      },
    }));
    const logs = createLogs.map(({ id }) => id);
    const { succeeded } = await engine.meta.txn({
      compares: [{ key, modRevision: 0 }],
      then: [{ op: 'put', key, value: JSON.stringify({ logs }) }],
      createLogs,
    });
    // Somebody else may have been faster: then theirs count.
    const entry = engine.meta.get(key);
    assert(succeeded || entry !== null);
    const actual = succeeded || entry === null ? logs : parseLogs(entry.value);
    return actual.map((log) => new GroupShard(this.context, this.namespace, log));
  }
}

function parseLogs(value: string): readonly number[] {
  const parsed: unknown = JSON.parse(value);
  const logs = (parsed as { logs?: unknown } | null)?.logs;
  assert(Array.isArray(logs) && logs.length > 0, 'a namespace has logs for its groups');
  return logs.map((log: unknown) => {
    assert(typeof log === 'number');
    return log;
  });
}

/** FNV-1a over UTF-16 units. Part of the storage format: it says in which log a group's state is. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}
