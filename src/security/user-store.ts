import type { Random } from '../base/random.ts';
import { findNameDefect } from './names.ts';
import { CHANGED, CREATED, invalid, type ChangeOutcome } from './outcome.ts';
import { findHashDefect, hashPassword, type PasswordHash } from './password.ts';
import { RecordReader } from './record-reader.ts';
import type { RecordTable, RecordTransaction, Records } from './records.ts';

/** null: without limit. 0: none. */
export interface UserLimits {
  readonly maxConnections: number | null;
  readonly maxChannels: number | null;
}

/** A user as others see it. */
export interface User {
  readonly name: string;
  /** null: the user cannot log in with a password. */
  readonly password: PasswordHash | null;
  /** administrator, monitoring, policymaker, management, impersonator, or anything else. */
  readonly tags: readonly string[];
  readonly limits: UserLimits;
}

/** How a user's password is given. */
export type NewPassword =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'hash'; readonly hash: PasswordHash }
  | { readonly kind: 'none' };

export const NO_USER_LIMITS: UserLimits = Object.freeze({
  maxConnections: null,
  maxChannels: null,
});

const ALGORITHMS = ['sha256', 'sha512', 'md5'] as const;
const SALT_SIZE = 4;

/** The users of a broker. */
export class UserStore {
  private readonly records: Records;
  private readonly random: Random;
  private readonly table: RecordTable<User>;

  constructor(options: {
    readonly records: Records;
    readonly random: Random;
    readonly onChange: (name: string, user: User | null) => void;
  }) {
    this.records = options.records;
    this.random = options.random;
    this.table = options.records.table<User>({
      name: 'users',
      decode: decodeUser,
      onChange: ([name = ''], user) => options.onChange(name, user),
    });
  }

  get(name: string): User | null {
    return this.table.get(name);
  }

  list(): readonly User[] {
    return this.table.list();
  }

  /** Creates a user, or changes what is given of one that exists. A new one without a password has none. */
  async put(
    name: string,
    changes: {
      readonly password?: NewPassword;
      readonly tags?: readonly string[];
      readonly limits?: Partial<UserLimits>;
    },
  ): Promise<ChangeOutcome> {
    const { password, tags, limits } = changes;
    const defect =
      findNameDefect('user', name) ?? findPasswordDefect(password) ?? findLimitDefect(limits);
    if (defect !== null) return invalid(defect);
    const hash = password === undefined ? undefined : this.hash(password);
    return this.records.transact((transaction) => {
      const known = transaction.get(this.table, name);
      this.write(transaction, {
        name,
        password: hash === undefined ? (known?.password ?? null) : hash,
        tags: tags ?? known?.tags ?? [],
        limits: { ...NO_USER_LIMITS, ...known?.limits, ...limits },
      });
      return known === null ? CREATED : CHANGED;
    });
  }

  /** Part of a larger change. */
  write(transaction: RecordTransaction, user: User): void {
    transaction.put(this.table, [user.name], user);
  }

  /** Part of a larger change; false when there is no such user. */
  remove(transaction: RecordTransaction, name: string): boolean {
    if (transaction.get(this.table, name) === null) return false;
    transaction.delete(this.table, [name]);
    return true;
  }

  /** Part of a larger change, which is done again when the user comes or goes meanwhile. */
  exists(transaction: RecordTransaction, name: string): boolean {
    return transaction.get(this.table, name) !== null;
  }

  hash(password: NewPassword): PasswordHash | null {
    if (password.kind === 'none') return null;
    if (password.kind === 'hash') return password.hash;
    return hashPassword(password.text, this.random.bytes(SALT_SIZE));
  }
}

function findPasswordDefect(password: NewPassword | undefined): string | null {
  if (password?.kind === 'hash') return findHashDefect(password.hash);
  if (password?.kind === 'text' && password.text === '') return 'the password is empty';
  return null;
}

function findLimitDefect(limits: Partial<UserLimits> | undefined): string | null {
  for (const [name, value] of Object.entries(limits ?? {})) {
    if (value !== null && (!Number.isSafeInteger(value) || value < 0)) {
      return `${name}: an integer from 0 expected, or null`;
    }
  }
  return null;
}

function decodeUser(value: unknown, [name = '']: readonly string[]): User {
  const fields = new RecordReader(value);
  const limits = fields.object('limits');
  const password = fields.value('password');
  return Object.freeze({
    name,
    password: password === null ? null : decodeHash(fields.object('password')),
    tags: fields.texts('tags'),
    limits: {
      maxConnections: limits.limit('maxConnections'),
      maxChannels: limits.limit('maxChannels'),
    },
  });
}

function decodeHash(fields: RecordReader): PasswordHash {
  const algorithm = ALGORITHMS.find((known) => known === fields.text('algorithm'));
  if (algorithm === undefined) throw new TypeError('algorithm: sha256, sha512 or md5 expected');
  return { algorithm, hash: fields.text('hash') };
}
