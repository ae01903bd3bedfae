import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The npm package whose tarball carries librdkafka's sources and its tests. */
const PACKAGE = '@confluentinc/kafka-javascript@1.10.1';

/** These four ask for three replicas and for nothing else that one broker lacks. */
const REPLICATION_PATCHES: readonly (readonly [file: string, from: string, to: string])[] = [
  ['0098-consumer-txn.cpp', ', 3, 5000)', ', 1, 5000)'],
  ['0103-transactions.c', ', 3, 5000)', ', 1, 5000)'],
  ['0107-topic_recreate.c', ', 3, 5000)', ', 1, 5000)'],
  ['0111-delay_create_topics.cpp', '(NULL, topic.c_str(), 1, 3)', '(NULL, topic.c_str(), 1, 1)'],
];

export type Outcome = 'PASS' | 'FAIL' | 'SKIP';

export interface TestResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly seconds: number;
}

/** Tests with one number run together: the suite's runner selects by number. */
export interface TestGroup {
  readonly number: string;
  readonly scenario: 'default' | 'noautocreate';
  readonly names: readonly string[];
}

export interface RunOptions {
  readonly broker: string;
  /** A second broker without topic auto-creation, or null to skip the tests that need one. */
  readonly brokerWithoutAutoCreation: string | null;
  /** Folder for the output of each test; emptied first. */
  readonly logs: string;
  readonly jobs: number;
  readonly secondsMax: number;
  /** Folder with the stand-ins for Kafka's bin/ folder, or null. */
  readonly kafkaPath: string | null;
}

/** Unpacks and builds the suite in folder once; later calls find it there. Returns the source folder. */
export function installSuite(folder: string): string {
  const source = join(folder, 'librdkafka');
  const stamp = join(folder, '.built');
  if (existsSync(stamp)) return source;
  mkdirSync(folder, { recursive: true });
  rmSync(source, { recursive: true, force: true });
  const packed = execFileSync('npm', ['pack', '--silent', PACKAGE], {
    cwd: folder,
    encoding: 'utf8',
  });
  const tarball = packed.trim().split('\n').at(-1) ?? '';
  execFileSync('tar', ['xzf', tarball, 'package/deps/librdkafka'], { cwd: folder });
  renameSync(join(folder, 'package/deps/librdkafka'), source);
  for (const [file, from, to] of REPLICATION_PATCHES) {
    const path = join(source, 'tests', file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(from, to));
  }
  const make = `-j${cpus().length}`;
  logged(folder, 'configure', './configure', [], source);
  logged(folder, 'make', 'make', [make, 'libs'], source);
  logged(folder, 'make-tests', 'make', [make, 'build'], join(source, 'tests'));
  writeFileSync(stamp, '');
  return source;
}

function logged(folder: string, name: string, program: string, args: string[], cwd: string): void {
  const run = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 512 << 20 });
  writeFileSync(join(folder, `${name}.log`), `${run.stdout}${run.stderr}`);
  if (run.status !== 0) throw new Error(`${name} failed, see ${join(folder, `${name}.log`)}`);
}

/** Every test of the suite that talks to a broker, read from its table of tests. */
export function listTests(source: string): TestGroup[] {
  const text = readFileSync(join(source, 'tests/test.c'), 'utf8');
  const from = text.indexOf('struct test tests[] = {');
  const table = text.slice(from, text.indexOf('{NULL}', from));
  const groups = new Map<string, { group: TestGroup; names: string[] }>();
  for (const match of table.matchAll(/_TEST\(\s*(\w+)\s*,([\s\S]*?)\),?\s*(?=_TEST|#|\/\*|$)/g)) {
    const name = match[1] ?? '';
    const rest = match[2] ?? '';
    const flags = rest.split(',')[0] ?? '';
    if (flags.includes('TEST_F_LOCAL') || flags.includes('TEST_F_MANUAL')) continue;
    const scenario = /scenario\s*=\s*"(?!default)/.test(rest) ? 'noautocreate' : 'default';
    const number = name.slice(0, 4);
    const key = `${number}.${scenario}`;
    const known = groups.get(key);
    if (known !== undefined) {
      known.names.push(name);
      continue;
    }
    const names = [name];
    groups.set(key, { group: { number, scenario, names }, names });
  }
  return [...groups.values()].map((entry) => entry.group);
}

/** In the quick form, the suite's own choice for a run of everything, these would do nothing at all. */
const LONG_FORM = ['0082'];

/** Tests that take minutes start first, so that nothing waits for them at the end. */
const SLOW = ['0184', '0081', '0139', '0091', '0076'];

/** Runs the groups, several at a time, and calls back with each result. */
export async function runTests(
  folder: string,
  groups: readonly TestGroup[],
  options: RunOptions,
  onResult: (result: TestResult) => void,
): Promise<void> {
  const queue = [...groups].sort((a, b) => rank(a) - rank(b) || a.number.localeCompare(b.number));
  rmSync(options.logs, { recursive: true, force: true });
  mkdirSync(options.logs, { recursive: true });
  const worker = async (): Promise<void> => {
    for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
      for (const result of await runGroup(folder, group, options)) onResult(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
}

function rank(group: TestGroup): number {
  const index = SLOW.indexOf(group.number);
  return index < 0 ? SLOW.length : index;
}

/** Tests that shell out to Kafka's own tools. */
const NEEDS_KAFKA_PATH = ['0052', '0077', '0098', '0109', '0115', '0119'];

async function runGroup(
  folder: string,
  group: TestGroup,
  options: RunOptions,
): Promise<TestResult[]> {
  const broker =
    group.scenario === 'noautocreate' ? options.brokerWithoutAutoCreation : options.broker;
  const skip =
    broker === null
      ? 'no broker without auto-creation given'
      : NEEDS_KAFKA_PATH.includes(group.number) && options.kafkaPath === null
        ? "Kafka's tools not given"
        : null;
  if (skip !== null || broker === null) {
    return group.names.map((name) => ({ name, outcome: 'SKIP', detail: skip ?? '', seconds: 0 }));
  }
  const startedMs = performance.now();
  const { output, inTime } = await runRunner(folder, group, broker, options);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  writeFileSync(join(options.logs, `${group.number}.${group.scenario}.log`), output);
  return group.names.map((name) => ({ name, seconds, ...judge(name, output, inTime) }));
}

function runRunner(
  folder: string,
  group: TestGroup,
  broker: string,
  options: RunOptions,
): Promise<{ output: string; inTime: boolean }> {
  const source = join(folder, 'librdkafka');
  const conf = join(folder, `test.${group.scenario}.conf`);
  writeFileSync(
    conf,
    `metadata.broker.list=${broker}\ntest.topic.random=true\ntest.timeout.multiplier=2\n`,
  );
  return new Promise((resolve, reject) => {
    const form = LONG_FORM.includes(group.number) ? [] : ['-Q'];
    const child = spawn(join(source, 'tests/test-runner'), ['-p1', ...form, '-L'], {
      cwd: join(source, 'tests'), // two tests open files by relative path
      env: {
        ...process.env,
        BROKERS: broker,
        RDKAFKA_TEST_CONF: conf,
        TESTS: group.number,
        TEST_SCENARIO: group.scenario,
        TEST_KAFKA_VERSION: '4.2.0',
        LD_LIBRARY_PATH: `${source}/src:${source}/src-cpp`,
        ...(options.kafkaPath === null ? {} : { KAFKA_PATH: options.kafkaPath }),
      },
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      child.kill('SIGKILL');
    }, options.secondsMax * 1000);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve({ output: stripVTControlCharacters(Buffer.concat(chunks).toString()), inTime });
    });
  });
}

function judge(
  name: string,
  output: string,
  inTime: boolean,
): { outcome: Outcome; detail: string } {
  const summary = new RegExp(`^\\| +${name} +\\| *(\\w+)`, 'gm');
  const state =
    [...output.matchAll(summary)].at(-1)?.[1] ??
    (output.includes(`Test ${name} PASSED`) ? 'PASSED' : 'FAILED');
  const lines = output.split('\n').filter((line) => !line.startsWith('|'));
  if (state === 'PASSED') return { outcome: 'PASS', detail: '' };
  if (state === 'SKIPPED') {
    return { outcome: 'SKIP', detail: shorten(lines.find((line) => /skip/i.test(line))) };
  }
  // "### Test <name> failed at <place> ###", and the reason on the next line.
  const failedAt = lines.findIndex((line) => /^### Test .* failed at /.test(line));
  const why = failedAt < 0 ? 'ended without a summary' : lines[failedAt + 1];
  return { outcome: 'FAIL', detail: inTime ? shorten(why) : 'killed at the time limit' };
}

function shorten(line: string | undefined): string {
  return (line ?? '').replace(/^[^\]]*\] */, '').slice(0, 150);
}
