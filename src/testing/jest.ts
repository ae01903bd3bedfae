import { runnerFixture, type BrokerFixture, type RunnerOptions } from './broker-fixture.ts';

export type { BrokerFixture, FixtureOptions, RunnerOptions, TestHooks } from './broker-fixture.ts';

/**
 * A broker for the tests of this file, or of the describe block it is called in (Jest).
 * With `injectGlobals: false`, pass the hooks of `@jest/globals`: `useBroker({ hooks: { beforeAll, afterAll, afterEach } })`.
 */
export function useBroker(options: RunnerOptions = {}): BrokerFixture {
  return runnerFixture('Jest', options);
}
