/**
 * RabbitMQ's and its clients' own tests against Lyrebird, one suite after the other, compared with expected.json.
 *
 *   npm run conformance:amqp -- [--suite NAME]... [--broker amqp://... | --broker rabbitmq] [--work DIR] [--only REGEX]
 *     [--java-client DIR] [--write]
 *
 * Without --broker it starts Lyrebird itself for each suite; `--broker rabbitmq` starts Debian's rabbitmq-server, to see
 * what passes there. What registries hold is installed in the scratch folder; --java-client names a prepared folder (see
 * README.md). --write puts a whole run into docs/compatibility/amqp.md.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeSection } from '../../support/page-section.ts';
import { compare, PAGE, suitesSection, type Expectations, type SuiteRun } from './report.ts';
import { amqplib } from './suites/amqplib.ts';
import { celery } from './suites/celery.ts';
import { differential, framesSection } from './suites/differential.ts';
import { javaClient } from './suites/java-client.ts';
import { lapin } from './suites/lapin.ts';
import { writeResults, type Suite, type TestResult } from './suites/suite.ts';
import { startTarget } from './target.ts';

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    broker: { type: 'string' },
    work: { type: 'string', default: join(tmpdir(), 'lyrebird-conformance', 'amqp') },
    only: { type: 'string' },
    'java-client': { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const SUITES: readonly Suite[] = [
  differential,
  amqplib,
  lapin,
  celery,
  javaClient('functional', values['java-client']),
  javaClient('server', values['java-client']),
];

const expectations = JSON.parse(
  readFileSync(new URL('expected.json', import.meta.url), 'utf8'),
) as Expectations;
const only = values.only === undefined ? null : new RegExp(values.only);
const unknown = values.suite?.find((name) => !SUITES.some((suite) => suite.name === name));
if (unknown !== undefined) throw new Error(`there is no suite ${unknown}`);
if (values.write && (values.only ?? values.suite ?? values.broker) !== undefined) {
  throw new Error('--write takes a run of everything against brokers of its own');
}

const runs: SuiteRun[] = [];
let unexpected = 0;
for (const suite of SUITES) {
  if (values.suite?.includes(suite.name) === false) continue;
  const run = await runSuite(suite);
  runs.push(run);
  const { unexpected: failures, remarks } = compare(suite.name, run.results, expectations);
  // What a given broker does not pass is its own affair: expected.json is about Lyrebird.
  if (values.broker === undefined) unexpected += failures;
  for (const remark of remarks) console.log(`${suite.name}: ${remark}`);
}
const all = runs.flatMap(({ results }) => results);
const count = (outcome: TestResult['outcome']): number =>
  all.filter((result) => result.outcome === outcome).length;
const failed = values.broker === undefined ? unexpected : count('FAIL');
console.log(
  `${count('PASS')} passed, ${failed} failed, ${count('FAIL') - failed} failed as expected, ${count('SKIP')} skipped`,
);
process.exitCode = unexpected === 0 ? 0 : 1;
if (values.write) {
  await writeSection(PAGE, 'suites', suitesSection(runs, expectations));
  await writeSection(PAGE, 'frames', framesSection());
}

async function runSuite(suite: Suite): Promise<SuiteRun> {
  const folder = join(values.work, suite.name);
  mkdirSync(folder, { recursive: true });
  const notRun = await suite.install(folder);
  if (notRun !== null) {
    console.log(`${suite.name}: not run, ${notRun}`);
    return { suite, results: [], notRun };
  }
  const target = await startTarget(values.broker, suite.broker);
  try {
    const results = await suite.run({ target, folder, only });
    writeResults(folder, results);
    const passed = results.filter(({ outcome }) => outcome === 'PASS').length;
    console.log(`${suite.name} on ${target.product}: ${passed} of ${results.length} passed`);
    for (const { name, outcome, detail } of results) {
      if (outcome !== 'PASS') console.log(`  ${outcome} ${name} ${detail}`);
    }
    // A suite that ran nothing has not passed.
    if (results.length === 0) throw new Error(`${suite.name} ran no test, see ${folder}`);
    return { suite, results, notRun: null };
  } finally {
    await target.stop();
  }
}
