import { after, afterEach, before } from 'node:test';
import { registerFixture, type BrokerFixture, type FixtureOptions } from './broker-fixture.ts';

export type { BrokerFixture, FixtureOptions } from './broker-fixture.ts';

/**
 * A broker for the tests of this file, or of the describe block it is called in (node:test).
 *
 *   const kafka = useBroker()
 *   it('...', async () => { new Kafka({ brokers: [kafka.bootstrapServers] }) })
 */
export function useBroker(options: FixtureOptions = {}): BrokerFixture {
  return registerFixture({ beforeAll: before, afterAll: after, afterEach }, options);
}
