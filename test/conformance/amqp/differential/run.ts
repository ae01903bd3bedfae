/**
 * The same frames to RabbitMQ and to Lyrebird: replays the scenarios of scenarios/ against a broker and compares every
 * frame that comes back with what RabbitMQ said (golden/). A difference that differences.json does not explain fails.
 *
 *   node --import tsx test/conformance/amqp/differential/run.ts [--broker amqp://... | --broker rabbitmq] [--only REGEX]
 *     [--record] [--explain "why"]
 *
 * Without --broker it starts Lyrebird itself. --record writes golden/ (for a RabbitMQ; each scenario runs three times
 * and must say the same). --explain lists what differs now in differences.json, with that reason; use it with --only.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { startTarget } from '../target.ts';
import type { Address } from './client.ts';
import {
  differenceOf,
  differingStreams,
  goldenOf,
  unexplained,
  writeDifference,
  writeGolden,
} from './golden.ts';
import { replay } from './replay.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './session.ts';

const { values } = parseArgs({
  options: {
    broker: { type: 'string' },
    only: { type: 'string', default: '' },
    record: { type: 'boolean', default: false },
    explain: { type: 'string' },
  },
});

const only = new RegExp(values.only);
const scenarios = SCENARIOS.filter(({ name }) => only.test(name));
const target = await startTarget(values.broker);
let failed = 0;
try {
  for (const scenario of scenarios) {
    const problems = await (values.record ? record : check)(target, scenario);
    if (problems.length > 0) failed++;
    console.log(`${problems.length === 0 ? 'PASS' : 'FAIL'} ${scenario.name}`);
    for (const problem of problems) console.log(`     ${problem}`);
  }
} finally {
  await target.stop();
}
console.log(`${scenarios.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function record(address: Address, scenario: Scenario): Promise<string[]> {
  const first = await replay(address, scenario);
  for (let again = 0; again < 2; again++) {
    const other = await replay(address, scenario);
    if (!isDeepStrictEqual(first, other)) {
      return ['not the same twice:', ...unexplained(first, other, null)];
    }
  }
  const gaveUp = first['notes']?.find(
    (note) => typeof note === 'string' && note.startsWith('gave up'),
  );
  if (typeof gaveUp === 'string') return [gaveUp];
  await writeGolden(scenario.name, first);
  return [];
}

async function check(address: Address, scenario: Scenario): Promise<string[]> {
  const golden = goldenOf(scenario.name);
  if (golden === null) return ['RabbitMQ was never asked: --record --broker rabbitmq'];
  const transcript = await replay(address, scenario);
  const problems = unexplained(golden, transcript, differenceOf(scenario.name));
  if (problems.length === 0 || values.explain === undefined) return problems;
  await writeDifference(scenario.name, {
    why: values.explain,
    answers: differingStreams(golden, transcript),
  });
  return [];
}
