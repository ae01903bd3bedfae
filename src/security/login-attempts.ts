/** Sources counted one by one; further ones are counted together, under empty names. */
const SOURCES_MAX = 1_000;

export interface AttemptCounts {
  readonly succeeded: number;
  readonly failed: number;
}

export interface SourceAttempts extends AttemptCounts {
  readonly protocol: string;
  readonly address: string;
  readonly user: string;
}

interface Counter {
  succeeded: number;
  failed: number;
}

/** Counts logins, by protocol and, when that is switched on, by where they come from. */
export class LoginAttempts {
  private readonly protocols = new Map<string, Counter>();
  private readonly sources = new Map<
    string,
    Counter & { protocol: string; address: string; user: string }
  >();
  /** Counting by source costs memory and keeps addresses: off until asked for. */
  trackSources = false;

  count(attempt: {
    readonly protocol: string;
    readonly address: string;
    readonly user: string;
    readonly succeeded: boolean;
  }): void {
    const { protocol, succeeded } = attempt;
    let counter = this.protocols.get(protocol);
    if (counter === undefined) {
      counter = { succeeded: 0, failed: 0 };
      this.protocols.set(protocol, counter);
    }
    add(counter, succeeded);
    if (this.trackSources) add(this.source(attempt), succeeded);
  }

  byProtocol(): readonly (AttemptCounts & { readonly protocol: string })[] {
    return [...this.protocols].map(([protocol, counter]) => ({ protocol, ...counter }));
  }

  bySource(): readonly SourceAttempts[] {
    return [...this.sources.values()].map((source) => ({ ...source }));
  }

  reset(): void {
    this.protocols.clear();
    this.sources.clear();
  }

  private source(attempt: {
    readonly protocol: string;
    readonly address: string;
    readonly user: string;
  }): Counter {
    const isFull = this.sources.size >= SOURCES_MAX;
    const { protocol } = attempt;
    let { address, user } = attempt;
    let key = JSON.stringify([protocol, address, user]);
    if (isFull && !this.sources.has(key)) {
      address = '';
      user = '';
      key = protocol;
    }
    let counter = this.sources.get(key);
    if (counter === undefined) {
      counter = { protocol, address, user, succeeded: 0, failed: 0 };
      this.sources.set(key, counter);
    }
    return counter;
  }
}

function add(counter: Counter, succeeded: boolean): void {
  if (succeeded) counter.succeeded++;
  else counter.failed++;
}
