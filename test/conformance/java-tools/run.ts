/**
 * Kafka's own command-line tools and test programs against Lyrebird: fetches the jars with Maven and runs the checks
 * of checks.ts one after the other.
 *
 *   npm run conformance:java-tools -- [--broker HOST:PORT] [--only REGEX] [--kafka 4.3.1]
 *
 * Without --broker it starts Lyrebird itself. Needs a JVM and Maven.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrokerProcess } from '../../support/broker-process.ts';
import { kafkaDistribution } from '../../support/kafka-jars.ts';
import { CHECKS } from './checks.ts';
import { ToolKit } from './tool-kit.ts';

const { values } = parseArgs({
  options: {
    broker: { type: 'string' },
    only: { type: 'string', default: '' },
    kafka: { type: 'string', default: '4.3.1' },
  },
});

const jars = kafkaDistribution(join(tmpdir(), 'lyrebird-conformance', 'kafka-jars'), values.kafka);
if (jars === null) {
  console.log('0 passed, 0 failed: this needs a JVM and Maven');
} else {
  const started = values.broker === undefined ? await startBrokerProcess({ memory: true }) : null;
  const kit = new ToolKit(jars, values.broker ?? started?.kafka ?? '', process.pid.toString(36));
  try {
    const failed = runChecks(kit, new RegExp(values.only));
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    kit.close();
    await started?.stop();
  }
}

/** Prints a line per check and the counts; returns how many failed. */
function runChecks(kit: ToolKit, only: RegExp): number {
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(CHECKS)) {
    if (!only.test(name)) continue;
    const startedMs = performance.now();
    let outcome = 'PASS';
    let why = '';
    try {
      check(kit);
      passed++;
    } catch (error) {
      failed++;
      outcome = 'FAIL';
      why = `\n${error instanceof Error ? error.message : String(error)}`;
    }
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(`${outcome} ${name} ${seconds}s${why}`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}
