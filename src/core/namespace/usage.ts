import type { UserStore } from '../../security/user-store.ts';
import type { NamespaceStore } from './namespace-store.ts';

/** A limit that is reached. */
export interface LimitReached {
  readonly status: 'refused';
  readonly scope: 'namespace' | 'user';
  readonly limit: number;
}

/** A place among the connections or channels of somebody; release() gives it back, once. */
export interface Place {
  readonly status: 'ok';
  release(): void;
}

/** Counts connections and channels, over all protocols, and holds them to the limits of namespaces and users. */
export class Usage {
  private readonly namespaces: NamespaceStore;
  private readonly users: UserStore;
  private readonly namespaceConnections = new Map<string, number>();
  private readonly userConnections = new Map<string, number>();
  private readonly userChannels = new Map<string, number>();

  constructor(namespaces: NamespaceStore, users: UserStore) {
    this.namespaces = namespaces;
    this.users = users;
  }

  /** A user's connection to a namespace. */
  openConnection(user: string, namespace: string): Place | LimitReached {
    const inNamespace = this.connectionsOfNamespace(namespace);
    const namespaceMax = this.namespaces.get(namespace)?.limits.maxConnections ?? null;
    if (namespaceMax !== null && inNamespace >= namespaceMax) {
      return { status: 'refused', scope: 'namespace', limit: namespaceMax };
    }
    const ofUser = this.connectionsOfUser(user);
    const userMax = this.users.get(user)?.limits.maxConnections ?? null;
    if (userMax !== null && ofUser >= userMax) {
      return { status: 'refused', scope: 'user', limit: userMax };
    }
    this.namespaceConnections.set(namespace, inNamespace + 1);
    this.userConnections.set(user, ofUser + 1);
    return place(() => {
      decrement(this.namespaceConnections, namespace);
      decrement(this.userConnections, user);
    });
  }

  /** A channel, session or the like on one of the user's connections. */
  openChannel(user: string): Place | LimitReached {
    const count = this.userChannels.get(user) ?? 0;
    const limit = this.users.get(user)?.limits.maxChannels ?? null;
    if (limit !== null && count >= limit) return { status: 'refused', scope: 'user', limit };
    this.userChannels.set(user, count + 1);
    return place(() => decrement(this.userChannels, user));
  }

  connectionsOfNamespace(namespace: string): number {
    return this.namespaceConnections.get(namespace) ?? 0;
  }

  connectionsOfUser(user: string): number {
    return this.userConnections.get(user) ?? 0;
  }
}

function place(giveBack: () => void): Place {
  let isHeld = true;
  return {
    status: 'ok',
    release() {
      if (isHeld) giveBack();
      isHeld = false;
    },
  };
}

function decrement(counts: Map<string, number>, name: string): void {
  const count = (counts.get(name) ?? 0) - 1;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}
