/**
 * librdkafka's own test suite against Lyrebird: installs it from the npm registry, builds it in a scratch
 * folder, runs every test that talks to a broker and compares the outcome with expected.json.
 *
 *   npm run conformance:librdkafka -- [--broker HOST:PORT] [--work DIR] [--only "0012 0081"] [--jobs 4]
 *
 * Without --broker it starts Lyrebird itself, twice (one without topic auto-creation). Needs gcc, g++, make and
 * the headers of zlib, openssl, libsasl2, libcurl, libzstd, liblz4 and rapidjson; with a JVM and Maven, the
 * tests that shell out to Kafka's tools run too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrokerProcess, type BrokerProcess } from '../../support/broker-process.ts';
import { kafkaDistribution, standInKafkaPath } from '../../support/kafka-jars.ts';
import { installSuite, listTests, runTests, type TestResult } from './suite.ts';

const { values } = parseArgs({
  options: {
    broker: { type: 'string' },
    work: { type: 'string', default: join(tmpdir(), 'lyrebird-conformance', 'librdkafka') },
    only: { type: 'string' },
    jobs: { type: 'string', default: '4' },
    limit: { type: 'string', default: '400' },
  },
});

/** What the suite expects of a broker; see docs/compatibility/librdkafka.md. */
const SETTINGS = [
  'kafka.auto_create_partitions=4',
  'groups.session_timeout_min=1s',
  'storage.durability=os',
];

interface Expectations {
  /** Test name -> why it does not pass today. */
  readonly notPassing: Readonly<Record<string, string>>;
}

const expectations = JSON.parse(
  readFileSync(new URL('expected.json', import.meta.url), 'utf8'),
) as Expectations;

const source = installSuite(values.work);
const only = values.only?.split(/[ ,]+/);
const groups = listTests(source).filter((group) => only?.includes(group.number) ?? true);

const started: BrokerProcess[] = [];
const start = async (settings: readonly string[]): Promise<string> => {
  const broker = await startBrokerProcess({ memory: true, settings: [...SETTINGS, ...settings] });
  started.push(broker);
  return broker.kafka;
};

const jars = kafkaDistribution(join(tmpdir(), 'lyrebird-conformance', 'kafka-jars'));
const results: TestResult[] = [];
try {
  await runTests(
    values.work,
    groups,
    {
      broker: values.broker ?? (await start([])),
      brokerWithoutAutoCreation:
        values.broker === undefined ? await start(['kafka.auto_create_topics=false']) : null,
      jobs: Number(values.jobs),
      secondsMax: Number(values.limit),
      kafkaPath: jars === null ? null : standInKafkaPath(jars, join(values.work, 'kafka')),
    },
    (result) => {
      results.push(result);
      console.log(`${result.outcome} ${result.name} ${result.seconds}s ${result.detail}`.trim());
    },
  );
} finally {
  for (const broker of started) await broker.stop();
}

results.sort((a, b) => a.name.localeCompare(b.name));
writeFileSync(
  join(values.work, 'results.txt'),
  results.map((r) => `${r.outcome} ${r.name} ${r.seconds}s ${r.detail}`.trim()).join('\n') + '\n',
);

const unexpected = results.filter(
  (r) => r.outcome === 'FAIL' && expectations.notPassing[r.name] === undefined,
);
for (const result of unexpected)
  console.log(`unexpected failure: ${result.name}: ${result.detail}`);
for (const result of results) {
  if (result.outcome === 'PASS' && expectations.notPassing[result.name] !== undefined) {
    console.log(`passes now, take it out of expected.json: ${result.name}`);
  }
}
const count = (outcome: string): number => results.filter((r) => r.outcome === outcome).length;
console.log(
  `${count('PASS')} passed, ${count('FAIL')} failed (${unexpected.length} unexpected), ${count('SKIP')} skipped`,
);
process.exitCode = unexpected.length === 0 ? 0 : 1;
