import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { Logins } from './logins.ts';
import { CHANGED, type ChangeOutcome } from './outcome.ts';
import { PermissionStore, type Permission } from './permission-store.ts';
import type { RecordTable, RecordTransaction, Records } from './records.ts';
import { RuleAuthorizer } from './rule-authorizer.ts';
import { SaslMechanisms, type MechanismOptions } from './sasl/mechanisms.ts';
import { NO_USER_LIMITS, UserStore } from './user-store.ts';

export interface SecurityOptions extends MechanismOptions {
  /** Users who may log in from this machine only. */
  readonly loopbackUsers: readonly string[];
  /** Made when the broker starts for the first time, with every right in the first namespace; null: none. */
  readonly defaultUser: { readonly name: string; readonly password: string } | null;
}

export const SECURITY_DEFAULTS: SecurityOptions = {
  enabled: ['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'ANONYMOUS'],
  anonymousUser: null,
  certificateName: 'distinguished-name',
  loopbackUsers: ['guest'],
  defaultUser: { name: 'guest', password: 'guest' },
};

export interface SecurityDependencies {
  readonly records: Records;
  readonly random: Random;
  readonly clock: Clock;
  readonly hasNamespace: (name: string) => boolean;
  /** Told after a change of users or permissions; user: who came, went or changed, else null. */
  readonly onChange: (change: { readonly user: string | null; readonly deleted: boolean }) => void;
  readonly options: SecurityOptions;
}

/** Users, their permissions, and the ways to log in. */
export class Security {
  readonly users: UserStore;
  readonly permissions: PermissionStore;
  readonly authorizer: RuleAuthorizer;
  readonly logins: Logins;
  readonly mechanisms: SaslMechanisms;
  private readonly records: Records;
  private readonly options: SecurityOptions;
  private readonly started: RecordTable<true>;
  private changes = 1;

  constructor(dependencies: SecurityDependencies) {
    const { records, random, clock, hasNamespace, onChange, options } = dependencies;
    this.records = records;
    this.options = options;
    this.users = new UserStore({
      records,
      random,
      onChange: (user, record) => {
        this.changes++;
        onChange({ user, deleted: record === null });
      },
    });
    this.permissions = new PermissionStore({
      records,
      users: this.users,
      hasNamespace,
      onChange: () => {
        this.changes++;
        onChange({ user: null, deleted: false });
      },
    });
    this.started = records.table<true>({ name: 'security', decode: () => true });
    this.authorizer = new RuleAuthorizer(this.users, this.permissions);
    this.logins = new Logins({ users: this.users, clock, loopbackUsers: options.loopbackUsers });
    this.mechanisms = new SaslMechanisms(this.logins, options);
  }

  /** Counts up with every change: what the authorizer answered may be kept until it differs. */
  get revision(): number {
    return this.changes;
  }

  /** Whether the broker never ran before; then welcome() belongs into the change that begins its life. */
  isNew(transaction: RecordTransaction): boolean {
    return transaction.get(this.started, 'started') === null;
  }

  /** Makes the default user, once in a broker's life: one that was deleted stays deleted. */
  welcome(transaction: RecordTransaction, namespace: string): void {
    transaction.put(this.started, ['started'], true);
    if (this.options.defaultUser === null) return;
    const { name, password } = this.options.defaultUser;
    this.users.write(transaction, {
      name,
      password: this.users.hash({ kind: 'text', text: password }),
      tags: ['administrator'],
      limits: NO_USER_LIMITS,
    });
    this.permissions.write(transaction, everything(namespace, name));
  }

  /** Deletes a user with all permissions. */
  async deleteUser(name: string): Promise<ChangeOutcome> {
    return this.records.transact((transaction): ChangeOutcome => {
      if (!this.users.remove(transaction, name)) return { status: 'unknown', what: 'user' };
      this.permissions.removeAll(transaction, { user: name });
      return CHANGED;
    });
  }
}

function everything(namespace: string, user: string): Permission {
  return { namespace, user, configure: '.*', write: '.*', read: '.*' };
}
