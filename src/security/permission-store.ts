import { CHANGED, CREATED, invalid, type ChangeOutcome } from './outcome.ts';
import { findPatternDefect } from './pattern/pattern.ts';
import { RecordReader } from './record-reader.ts';
import type { RecordTable, RecordTransaction, Records } from './records.ts';
import type { UserStore } from './user-store.ts';

/** What a user may do in a namespace: patterns of names; '' matches no name. */
export interface Permission {
  readonly namespace: string;
  readonly user: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** Which routing keys a user may use at an exchange. {username}, {vhost} and {client_id} stand for the client's. */
export interface TopicPermission {
  readonly namespace: string;
  readonly user: string;
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/** The permissions of a broker, by namespace and user. */
export class PermissionStore {
  private readonly records: Records;
  private readonly users: UserStore;
  private readonly hasNamespace: (name: string) => boolean;
  private readonly permissions: RecordTable<Permission>;
  private readonly topics: RecordTable<TopicPermission>;

  constructor(options: {
    readonly records: Records;
    readonly users: UserStore;
    readonly hasNamespace: (name: string) => boolean;
    readonly onChange: () => void;
  }) {
    const { records, users, hasNamespace, onChange } = options;
    this.records = records;
    this.users = users;
    this.hasNamespace = hasNamespace;
    this.permissions = records.table<Permission>({
      name: 'permissions',
      decode: decodePermission,
      onChange,
    });
    this.topics = records.table<TopicPermission>({
      name: 'topic-permissions',
      decode: decodeTopicPermission,
      onChange,
    });
  }

  get(namespace: string, user: string): Permission | null {
    return this.permissions.get(namespace, user);
  }

  list(): readonly Permission[] {
    return this.permissions.list();
  }

  /** null: the user has no rule for the exchange, and may use every routing key. */
  getTopic(namespace: string, user: string, exchange: string): TopicPermission | null {
    return this.topics.get(namespace, user, exchange);
  }

  listTopics(): readonly TopicPermission[] {
    return this.topics.list();
  }

  async set(permission: Permission): Promise<ChangeOutcome> {
    const { namespace, user, configure, write, read } = permission;
    const defect = findPatternDefects({ configure, write, read });
    if (defect !== null) return invalid(defect);
    return this.records.transact((transaction) => {
      const obstacle = this.findObstacle(transaction, namespace, user);
      if (obstacle !== null) return obstacle;
      const known = transaction.get(this.permissions, namespace, user);
      this.write(transaction, permission);
      return known === null ? CREATED : CHANGED;
    });
  }

  /** Part of a larger change. */
  write(transaction: RecordTransaction, permission: Permission): void {
    const { namespace, user, configure, write, read } = permission;
    const record: Permission = { namespace, user, configure, write, read };
    transaction.put(this.permissions, [namespace, user], record);
  }

  async clear(namespace: string, user: string): Promise<ChangeOutcome> {
    return this.records.transact((transaction): ChangeOutcome => {
      const known = transaction.get(this.permissions, namespace, user);
      if (known === null) return { status: 'unknown', what: 'record' };
      transaction.delete(this.permissions, [namespace, user]);
      return CHANGED;
    });
  }

  async setTopic(permission: TopicPermission): Promise<ChangeOutcome> {
    const { namespace, user, exchange, write, read } = permission;
    const defect = findPatternDefects({ write, read });
    if (defect !== null) return invalid(defect);
    return this.records.transact((transaction) => {
      const obstacle = this.findObstacle(transaction, namespace, user);
      if (obstacle !== null) return obstacle;
      const known = transaction.get(this.topics, namespace, user, exchange);
      const record: TopicPermission = { namespace, user, exchange, write, read };
      transaction.put(this.topics, [namespace, user, exchange], record);
      return known === null ? CREATED : CHANGED;
    });
  }

  /** exchange null: all of the user's in the namespace. */
  async clearTopic(
    namespace: string,
    user: string,
    exchange: string | null,
  ): Promise<ChangeOutcome> {
    return this.records.transact((transaction): ChangeOutcome => {
      const doomed = this.topics
        .listUnder(namespace, user)
        .filter((known) => exchange === null || known.exchange === exchange);
      if (doomed.length === 0 && exchange !== null) return { status: 'unknown', what: 'record' };
      for (const rule of doomed) transaction.delete(this.topics, [namespace, user, rule.exchange]);
      return CHANGED;
    });
  }

  /** Part of a larger change: everything of a user, or of a namespace. */
  removeAll(
    transaction: RecordTransaction,
    owner: { readonly user: string } | { readonly namespace: string },
  ): void {
    const isOwned = (rule: { readonly user: string; readonly namespace: string }): boolean =>
      'user' in owner ? rule.user === owner.user : rule.namespace === owner.namespace;
    for (const { namespace, user } of this.list().filter(isOwned)) {
      transaction.delete(this.permissions, [namespace, user]);
    }
    for (const { namespace, user, exchange } of this.listTopics().filter(isOwned)) {
      transaction.delete(this.topics, [namespace, user, exchange]);
    }
  }

  private findObstacle(
    transaction: RecordTransaction,
    namespace: string,
    user: string,
  ): ChangeOutcome | null {
    if (!this.users.exists(transaction, user)) return { status: 'unknown', what: 'user' };
    if (!this.hasNamespace(namespace)) return { status: 'unknown', what: 'namespace' };
    return null;
  }
}

function findPatternDefects(patterns: Readonly<Record<string, string>>): string | null {
  for (const [name, pattern] of Object.entries(patterns)) {
    const defect = findPatternDefect(pattern);
    if (defect !== null) return `${name}: invalid pattern '${pattern}': ${defect}`;
  }
  return null;
}

function decodePermission(value: unknown, [namespace = '', user = '']: readonly string[]) {
  const fields = new RecordReader(value);
  return Object.freeze({
    namespace,
    user,
    configure: fields.text('configure'),
    write: fields.text('write'),
    read: fields.text('read'),
  });
}

function decodeTopicPermission(
  value: unknown,
  [namespace = '', user = '', exchange = '']: readonly string[],
) {
  const fields = new RecordReader(value);
  return Object.freeze({
    namespace,
    user,
    exchange,
    write: fields.text('write'),
    read: fields.text('read'),
  });
}
