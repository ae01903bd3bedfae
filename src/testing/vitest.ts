import { runnerFixture, type BrokerFixture, type RunnerOptions } from './broker-fixture.ts';

export type { BrokerFixture, FixtureOptions, RunnerOptions, TestHooks } from './broker-fixture.ts';

/**
 * A broker for the tests of this file, or of the describe block it is called in (Vitest).
 * Without `globals: true` in the configuration of Vitest, pass its hooks: `useBroker({ hooks: { beforeAll, afterAll, afterEach } })`.
 */
export function useBroker(options: RunnerOptions = {}): BrokerFixture {
  return runnerFixture('Vitest', options);
}
