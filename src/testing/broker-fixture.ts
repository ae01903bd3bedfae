import { createBroker, type BrokerOptions, type LyrebirdBroker } from '../index.ts';

/** The hooks of a test runner that a fixture needs. */
export interface TestHooks {
  beforeAll(callback: () => Promise<void>): void;
  afterAll(callback: () => Promise<void>): void;
  afterEach(callback: () => Promise<void>): void;
}

export interface FixtureOptions extends BrokerOptions {
  /** Delete all topics and groups after each test. Default true. */
  readonly resetBetweenTests?: boolean;
}

/** The broker of a test file (or of a describe block): started before its tests, closed after them. */
export interface BrokerFixture {
  /** Throws before the tests have begun: read it inside tests and hooks. */
  readonly broker: LyrebirdBroker;
  readonly bootstrapServers: string;
  readonly topics: LyrebirdBroker['topics'];
  readonly groups: LyrebirdBroker['groups'];
  url(listener?: string): string;
  reset(): Promise<void>;
}

export interface RunnerOptions extends FixtureOptions {
  /** Those of the test runner, where it does not put them on the global object. */
  readonly hooks?: TestHooks;
}

/** What useBroker does for a test runner of that name. */
export function runnerFixture(runner: string, options: RunnerOptions): BrokerFixture {
  const { hooks, ...fixtureOptions } = options;
  return registerFixture(findHooks(hooks, runner), fixtureOptions);
}

/** Registers the hooks that start, reset and close one broker. */
export function registerFixture(hooks: TestHooks, options: FixtureOptions): BrokerFixture {
  const { resetBetweenTests = true, ...brokerOptions } = options;
  const fixture = new Fixture();
  hooks.beforeAll(async () => {
    fixture.started = await createBroker(brokerOptions);
  });
  if (resetBetweenTests) hooks.afterEach(() => fixture.reset());
  hooks.afterAll(async () => {
    await fixture.started?.close();
    fixture.started = null;
  });
  return fixture;
}

/** Hooks that a runner has put on the global object, or were handed over; throws with what to do otherwise. */
function findHooks(given: TestHooks | undefined, runner: string): TestHooks {
  if (given !== undefined) return given;
  const { beforeAll, afterAll, afterEach } = globalThis as unknown as Partial<TestHooks>;
  if (beforeAll !== undefined && afterAll !== undefined && afterEach !== undefined) {
    return { beforeAll, afterAll, afterEach };
  }
  throw new TypeError(
    `${runner} has no global hooks here: pass them, as in ` +
      'useBroker({ hooks: { beforeAll, afterAll, afterEach } })',
  );
}

class Fixture implements BrokerFixture {
  started: LyrebirdBroker | null = null;

  get broker(): LyrebirdBroker {
    if (this.started === null) {
      throw new TypeError(
        'the broker runs only while the tests of its block run: use it inside them',
      );
    }
    return this.started;
  }

  get bootstrapServers(): string {
    return this.broker.bootstrapServers;
  }

  get topics(): LyrebirdBroker['topics'] {
    return this.broker.topics;
  }

  get groups(): LyrebirdBroker['groups'] {
    return this.broker.groups;
  }

  url(listener?: string): string {
    return this.broker.url(listener);
  }

  reset(): Promise<void> {
    return this.broker.reset();
  }
}
