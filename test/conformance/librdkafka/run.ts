/**
 * librdkafka's own test suite against Lyrebird: installs it from the npm registry, builds it in a scratch
 * folder, runs every test that talks to a broker and compares the outcome with expected.json.
 *
 *   npm run conformance:librdkafka -- [--broker HOST:PORT] [--work DIR] [--only "0012 0081"] [--jobs 4] [--write]
 *
 * Without --broker it starts Lyrebird itself, twice (one without topic auto-creation). --write puts the outcome of
 * a whole run into docs/compatibility/librdkafka.md. Needs gcc, g++, make and the headers of zlib, openssl,
 * libsasl2, libcurl, libzstd, liblz4 and rapidjson; with a JVM and Maven, the tests that shell out to Kafka's tools
 * run too.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { startBrokerProcess, type BrokerProcess } from '../../support/broker-process.ts';
import { kafkaDistribution, standInKafkaPath } from '../../support/kafka-jars.ts';
import { compare, reportPage, type Expectations } from './report.ts';
import {
  installSuite,
  listTests,
  runTests,
  type RunOptions,
  type TestGroup,
  type TestResult,
} from './suite.ts';

const { values } = parseArgs({
  options: {
    broker: { type: 'string' },
    work: { type: 'string', default: join(tmpdir(), 'lyrebird-conformance', 'librdkafka') },
    only: { type: 'string' },
    jobs: { type: 'string', default: '4' },
    limit: { type: 'string', default: '400' },
    write: { type: 'boolean', default: false },
  },
});

/** What the suite expects of a broker; see docs/compatibility/librdkafka.md. */
const SETTINGS = [
  'kafka.auto_create_partitions=4',
  'groups.session_timeout_min=1s',
  'groups.initial_rebalance_delay=500ms',
  'storage.durability=os',
];

const PAGE = new URL('../../../docs/compatibility/librdkafka.md', import.meta.url);

const expectations = JSON.parse(
  readFileSync(new URL('expected.json', import.meta.url), 'utf8'),
) as Expectations;

const source = installSuite(values.work);
const only = values.only?.split(/[ ,]+/);
const groups = listTests(source).filter((group) => only?.includes(group.number) ?? true);

const started: BrokerProcess[] = [];
const start = async (settings: readonly string[]): Promise<string> => {
  const data = join(values.work, `data-${started.length}`); // The tests write more than memory may hold.
  rmSync(data, { recursive: true, force: true });
  const broker = await startBrokerProcess({ data, settings: [...SETTINGS, ...settings] });
  started.push(broker);
  return broker.kafka;
};

const jars = kafkaDistribution(join(tmpdir(), 'lyrebird-conformance', 'kafka-jars'));
const results: TestResult[] = [];
try {
  const options: RunOptions = {
    broker: values.broker ?? (await start([])),
    brokerWithoutAutoCreation:
      values.broker === undefined ? await start(['kafka.auto_create_topics=false']) : null,
    logs: join(values.work, 'logs'),
    jobs: Number(values.jobs),
    secondsMax: Number(values.limit),
    kafkaPath: jars === null ? null : standInKafkaPath(jars, join(values.work, 'kafka')),
  };
  await runTests(values.work, groups, options, show);
  await repeatFailures(options);
} finally {
  for (const [index, broker] of started.entries()) {
    await broker.stop();
    writeFileSync(join(values.work, `broker-${index}.log`), broker.output());
  }
}

results.sort((a, b) => a.name.localeCompare(b.name));
writeFileSync(join(values.work, 'results.txt'), results.map((r) => `${lineOf(r)}\n`).join(''));
const { unexpected, remarks } = compare(results, expectations);
for (const remark of remarks) console.log(remark);
const count = (outcome: string): number => results.filter((r) => r.outcome === outcome).length;
console.log(
  `${count('PASS')} passed, ${count('FAIL')} failed (${unexpected} unexpected), ${count('SKIP')} skipped`,
);
process.exitCode = unexpected === 0 ? 0 : 1;
if (values.write) {
  if (only !== undefined || values.broker !== undefined) {
    throw new Error('--write takes a run of everything against brokers of its own');
  }
  const page = reportPage(results, expectations, SETTINGS);
  writeFileSync(PAGE, await format(page, { parser: 'markdown' }));
}

function show(result: TestResult): void {
  results.push(result);
  console.log(lineOf(result));
}

function lineOf(result: TestResult): string {
  return `${result.outcome} ${result.name} ${result.seconds}s ${result.detail}`.trim();
}

/** Many of the tests measure time: what failed beside others gets a second run alone, and is marked. */
async function repeatFailures(options: RunOptions): Promise<void> {
  const failed = (group: TestGroup): boolean =>
    results.some(
      ({ name, outcome }) =>
        outcome === 'FAIL' &&
        expectations.notPassing[name] === undefined &&
        group.names.includes(name),
    );
  const again = groups.filter(failed);
  if (again.length === 0) return;
  await runTests(
    values.work,
    again,
    { ...options, logs: join(values.work, 'logs.again'), jobs: 1 },
    (result) => {
      const at = results.findIndex(({ name }) => name === result.name);
      results[at] = { ...result, detail: `second run, alone; ${result.detail}` };
      console.log(lineOf(results[at]));
    },
  );
}
