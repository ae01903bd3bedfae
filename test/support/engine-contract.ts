import { describe } from 'node:test';
import { appendContract } from './engine-contract/appends.ts';
import { commitContract } from './engine-contract/commits.ts';
import type { EngineDriver } from './engine-contract/harness.ts';
import { metaContract } from './engine-contract/meta.ts';
import { readContract } from './engine-contract/reads.ts';
import { restartContract } from './engine-contract/restarts.ts';
import { retentionContract } from './engine-contract/retention.ts';

/** What every log engine promises (src/storage/types.ts), as tests; one suite per driver. */
export function engineContract(driver: EngineDriver): void {
  describe(`${driver.name}: appends`, () => appendContract(driver));
  describe(`${driver.name}: commits`, () => commitContract(driver));
  describe(`${driver.name}: reads`, () => readContract(driver));
  describe(`${driver.name}: trim and retention`, () => retentionContract(driver));
  describe(`${driver.name}: metadata`, () => metaContract(driver));
  if (driver.durable) describe(`${driver.name}: restarts`, () => restartContract(driver));
}
