import type {
  AccessRequest,
  Authorizer,
  Operation,
  ResourceType,
  TopicAccessRequest,
} from './authorizer.ts';
import type { PermissionStore } from './permission-store.ts';
import { Pattern, quotePattern } from './pattern/pattern.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import type { UserStore } from './user-store.ts';

type Right = 'configure' | 'write' | 'read';

/** Which of the three rights an operation takes; 'any': one of them is enough. */
const RIGHTS: Readonly<Record<Operation, Right | 'any'>> = {
  configure: 'configure',
  create: 'configure',
  delete: 'configure',
  alter: 'configure',
  'alter-configs': 'configure',
  write: 'write',
  'idempotent-write': 'write',
  read: 'read',
  describe: 'any',
  'describe-configs': 'any',
  'cluster-action': 'configure',
};

/** Patterns that nobody can be made to keep: forgotten all at once when there are so many. */
const COMPILED_MAX = 10_000;

/**
 * Decides by users' permissions. Whoever did not authenticate may do everything: whether such a peer is let in at all
 * was decided when its listener was opened and it connected.
 */
export class RuleAuthorizer implements Authorizer {
  private readonly users: UserStore;
  private readonly permissions: PermissionStore;
  private readonly compiled = new Map<string, Pattern | null>();

  constructor(users: UserStore, permissions: PermissionStore) {
    this.users = users;
    this.permissions = permissions;
  }

  isUnrestricted(principal: Principal): boolean {
    return principal === ANONYMOUS;
  }

  /** Whether the user has any permission in the namespace, and may use it. */
  mayEnter(principal: Principal, namespace: string): boolean {
    if (principal === ANONYMOUS) return true;
    return this.permissions.get(namespace, principal.name) !== null;
  }

  allows(request: AccessRequest): boolean {
    const { principal, operation, resource, namespace } = request;
    if (principal === ANONYMOUS) return true;
    const user = this.users.get(principal.name);
    if (user === null) return false;
    const right = RIGHTS[operation];
    if (resource === 'cluster') {
      return operation === 'idempotent-write' || right === 'any'
        ? this.mayEnter(principal, namespace)
        : user.tags.includes('administrator');
    }
    const permission = this.permissions.get(namespace, user.name);
    if (permission === null) return false;
    const name = nameFor(resource, request.name);
    if (right !== 'any') return this.matches(permission[right], name);
    return (
      this.matches(permission.configure, name) ||
      this.matches(permission.write, name) ||
      this.matches(permission.read, name)
    );
  }

  allowsTopic(request: TopicAccessRequest): boolean {
    const { principal, namespace, operation, routingKey } = request;
    if (principal === ANONYMOUS || this.permissions.listTopics().length === 0) return true;
    const exchange = nameFor('exchange', request.exchange);
    const rule =
      this.permissions.getTopic(namespace, principal.name, request.exchange) ??
      this.permissions.getTopic(namespace, principal.name, exchange);
    if (rule === null) return true;
    const source = rule[operation];
    if (!source.includes('{')) return this.matches(source, routingKey);
    const variables = { vhost: namespace, ...request.variables, username: principal.name };
    return this.matches(expand(source, variables), routingKey);
  }

  private matches(source: string, name: string): boolean {
    if (source === '') return name === '';
    let pattern = this.compiled.get(source);
    if (pattern === undefined) {
      if (this.compiled.size >= COMPILED_MAX) this.compiled.clear();
      const compiled = Pattern.compile(source);
      pattern = compiled instanceof Pattern ? compiled : null;
      this.compiled.set(source, pattern);
    }
    return pattern !== null && pattern.matches(name);
  }
}

/** Rules cannot name what has no name. */
function nameFor(resource: ResourceType, name: string): string {
  return resource === 'exchange' && name === '' ? 'amq.default' : name;
}

/** Puts values in as literal text: a client that chooses its id must not choose its rights. */
function expand(source: string, variables: Readonly<Record<string, string>>): string {
  return source.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return value === undefined ? whole : quotePattern(value);
  });
}
