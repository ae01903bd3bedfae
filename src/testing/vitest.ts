import {
  findHooks,
  registerFixture,
  type BrokerFixture,
  type FixtureOptions,
  type TestHooks,
} from './broker-fixture.ts';

export type { BrokerFixture, FixtureOptions, TestHooks } from './broker-fixture.ts';

/**
 * A broker for the tests of this file, or of the describe block it is called in (Vitest).
 * Without `globals: true` in the configuration of Vitest, pass its hooks: `useBroker({ hooks: { beforeAll, afterAll, afterEach } })`.
 */
export function useBroker(
  options: FixtureOptions & { readonly hooks?: TestHooks } = {},
): BrokerFixture {
  const { hooks, ...fixtureOptions } = options;
  return registerFixture(findHooks(hooks, 'Vitest'), fixtureOptions);
}
