import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RunningCommand, runCommand, startBroker } from '../support/command.ts';

let broker: RunningCommand;
let kafka = '';
let environment: Record<string, string> = {};

before(async () => {
  const started = await startBroker();
  broker = started.broker;
  kafka = started.kafka;
  environment = { LYREBIRD_SERVER: started.admin };
});
after(() => broker.kill());

/** Runs a command that must succeed; returns its data. */
async function ok(args: readonly string[], input = ''): Promise<string> {
  const result = await runCommand(args, { environment, input });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

const json = async <T>(args: readonly string[]): Promise<T> =>
  JSON.parse(await ok([...args, '--json'])) as T;

test('topics: create, list, describe, configure, grow, trim, delete', async () => {
  await ok(['topic', 'create', 'life', '-p', '2', '-c', 'retention.ms=60000']);
  assert.match(await ok(['topic', 'list']), /^life +2 +0 +0B$/m);
  assert.match(await ok(['topic', 'describe', 'life']), /retention\.ms +60000/);
  await ok(['topic', 'config', 'life', '--set', 'retention.ms=70000']);
  assert.match(await ok(['topic', 'config', 'life']), /^retention\.ms +70000 +topic$/m);
  await ok(['topic', 'add-partitions', 'life', '--num', '1']);
  await ok(['pub', 'life', 'x', '-n', '5', '-p', '2', '-b', kafka]);
  const before = await json<{ topics: { partitions: number; records: number }[] }>([
    'topic',
    'list',
    'life',
  ]);
  assert.deepEqual(
    before.topics.map(({ partitions, records }) => [partitions, records]),
    [[3, 5]],
  );
  await ok(['topic', 'trim', 'life', '--before', '3', '-p', '2', '--yes']);
  assert.match(await ok(['topic', 'describe', 'life']), /^ +2 +\d+ +3 +5 +5 /m);
  assert.equal((await runCommand(['topic', 'delete', 'life'], { environment })).code, 8);
  await ok(['topic', 'delete', 'life', '--yes']);
  assert.equal((await runCommand(['topic', 'describe', 'life'], { environment })).code, 3);
});

describe('pub and sub', () => {
  test('keys, headers, formats and JSON', async () => {
    const printed = await ok([
      'pub',
      `kafka://${kafka}/talk`,
      'first',
      '-k',
      'a',
      '-H',
      'h: 1',
      '--json',
    ]);
    assert.deepEqual(JSON.parse(printed), { topic: 'talk', partition: 0, offset: 0 });
    await ok(['pub', 'talk', '-b', kafka, '-K', ':', '-z', 'gzip'], 'b:second\nno key\n');
    await ok(['pub', 'talk', '-b', kafka, '-k', 'gone', '--tombstone']);
    const all = ['sub', 'talk', '-b', kafka, '-o', 'start', '-e'];
    assert.equal(
      await ok([...all, '-f', '%t %p %o %k %v %h\\n']),
      'talk 0 0 a first h=1\ntalk 0 1 b second \ntalk 0 2  no key \ntalk 0 3 gone  \n',
    );
    const lines = (await ok([...all, '--json'])).trim().split('\n');
    const first = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.equal(first['value'], 'first');
    assert.deepEqual(first['headers'], [{ name: 'h', value: '1' }]);
    assert.equal((JSON.parse(lines[3] ?? '') as Record<string, unknown>)['value'], null);
  });

  test('offsets: a number, the last ones, the end, an instant', async () => {
    await ok(['pub', 'places', '-b', kafka], '0\n1\n2\n3\n');
    const from = (where: string, ...more: string[]) =>
      ok(['sub', 'places', '-b', kafka, '-o', where, '-e', ...more]);
    assert.equal(await from('2'), '2\n3\n');
    assert.equal(await from('-1'), '3\n');
    assert.equal(await from('end'), '');
    assert.equal(await from('-1h'), '0\n1\n2\n3\n');
    assert.equal(await from('2000-01-01', '-n', '2'), '0\n1\n');
  });

  test('a live reader gets what is published later, and SIGINT ends it', async () => {
    await ok(['topic', 'create', 'live']);
    const reader = new RunningCommand(['sub', 'live', '-b', kafka, '-o', 'start']);
    await ok(['pub', 'live', 'now', '-b', kafka]);
    await reader.match(/^now$/m);
    reader.child.kill('SIGINT');
    assert.equal(await reader.exit(), 130);
  });

  test('members of a group go on where the last one stopped', async () => {
    await ok(['pub', 'shared', '-b', kafka], '0\n1\n2\n3\n');
    const member = ['sub', 'shared', '-b', kafka, '-g', 'team', '-o', 'start', '-n', '2'];
    assert.equal(await ok(member), '0\n1\n');
    const lag = await json<{ groups: { offsets: { committed: number; lag: number }[] }[] }>([
      'group',
      'describe',
      'team',
    ]);
    assert.equal(lag.groups[0]?.offsets[0]?.committed, 2);
    assert.equal(lag.groups[0]?.offsets[0]?.lag, 2);
    assert.equal(await ok(member), '2\n3\n');
    await ok(['group', 'seek', 'team', '--to', 'earliest', '--yes']);
    assert.equal(await ok(member), '0\n1\n');
    assert.match(await ok(['group', 'list']), /^team +empty +0 +2$/m);
    await ok(['group', 'delete', 'team', '--yes']);
    assert.equal((await runCommand(['group', 'describe', 'team'], { environment })).code, 3);
  });

  test('what fails has an exit code that says how', async () => {
    const code = async (...args: string[]) => (await runCommand(args, { environment })).code;
    assert.equal(await code('sub', 'absent', '-b', kafka, '-e'), 3);
    assert.equal(await code('pub', 'x', 'y', '-b', '127.0.0.1:1'), 6);
    assert.equal(await code('pub', 'talk', 'y', '-b', kafka, '-p', '99'), 3);
    await ok(['topic', 'create', 'small', '-c', 'max.message.bytes=200']);
    assert.equal(await code('pub', 'small', 'y'.repeat(300), '-b', kafka), 8);
    // What is refused, a batch of its own for its size, does not keep those behind it from being stored.
    await ok(['topic', 'create', 'mixed', '-c', 'max.message.bytes=20000']);
    const input = `first\n${'y'.repeat(30_000)}\nlast\n`;
    const mixed = await runCommand(['pub', 'mixed', '-b', kafka], { environment, input });
    assert.equal(mixed.code, 9, mixed.stderr);
    assert.equal(await ok(['sub', 'mixed', '-b', kafka, '-o', 'start', '-e']), 'first\nlast\n');
  });
});

test('status tells what runs', async () => {
  const { status } = await json<{ status: { ready: boolean } }>(['status']);
  assert.equal(status.ready, true);
  assert.match(
    await ok(['status']),
    new RegExp(`^Listener +kafka://${kafka.replaceAll('.', '\\.')}$`, 'm'),
  );
});

test('config show --running is what the broker uses', async () => {
  assert.match(await ok(['config', 'show', '--running']), /^storage\.driver +memory +flag$/m);
});

describe('bench', () => {
  interface Result {
    readonly bench: {
      readonly records: number;
      readonly bytes: number;
      readonly errors: number;
      readonly latencyMs: {
        readonly p50: number;
        readonly p99: number;
        readonly max: number;
      } | null;
    };
  }

  test('producer and consumer count what they were asked for', async () => {
    const common = ['-b', kafka, '--topic', 'bench', '-q'];
    const produced = await json<Result>([
      'bench',
      'producer',
      '--num-records=2000',
      '--record-size=100',
      '--producer-props=linger.ms=1',
      '--connections=2',
      ...common,
    ]);
    assert.equal(produced.bench.records, 2000);
    assert.equal(produced.bench.bytes, 200_000);
    assert.equal(produced.bench.errors, 0);
    const latency = produced.bench.latencyMs;
    assert.ok(
      latency !== null &&
        latency.p50 > 0 &&
        latency.p50 <= latency.p99 &&
        latency.p99 <= latency.max,
    );
    const consumed = await json<Result>(['bench', 'sub', '--msgs', '2k', ...common]);
    assert.equal(consumed.bench.records, 2000);
    assert.equal(consumed.bench.latencyMs, null);
  });

  test('end to end measures every record, at a rate, into a CSV file as well', async () => {
    const result = await json<Result>([
      'bench',
      'e2e',
      '-b',
      kafka,
      '--topic',
      'e2e',
      '--msgs',
      '200',
      '--rate',
      '1000',
      '-q',
    ]);
    assert.equal(result.bench.records, 200);
    assert.ok((result.bench.latencyMs?.p50 ?? 0) > 0);
  });

  test('without acks there are no outcomes to wait for', async () => {
    const result = await json<Result>([
      'bench',
      'pub',
      '-b',
      kafka,
      '--topic',
      'fire',
      '--msgs',
      '500',
      '--acks',
      '0',
      '-q',
    ]);
    assert.equal(result.bench.records, 500);
  });
});

describe('lists for programs', () => {
  test('JSON is what the admin API answers, with its version', async () => {
    await ok(['topic', 'create', 'shape', '-p', '2']);
    const answer = async (path: string): Promise<object> => {
      const response = await fetch(`${environment['LYREBIRD_SERVER']}/api/v1${path}`);
      return (await response.json()) as object;
    };
    assert.deepEqual(await json(['topic', 'list', '--internal']), {
      apiVersion: 'v1',
      ...(await answer('/topics')),
    });
    assert.deepEqual(await json(['topic', 'describe', 'shape']), {
      apiVersion: 'v1',
      topics: [await answer('/topics/shape')],
    });
    const template = ['-o', 'template={{name}} has {{partitions}}'];
    assert.equal(await ok(['topic', 'list', 'shape', ...template]), 'shape has 2\n');
    assert.match(await ok(['topic', 'list', 'shape', '-o', 'yaml']), /^- name: shape$/m);
    assert.match(await ok(['topic', 'list', 'shape', '-o', 'wide']), /NAMESPACE +ID$/m);
  });

  test('--watch prints again until it is interrupted', async () => {
    const args = ['group', 'list', '-o', 'json', '--watch', '100ms'];
    const watch = new RunningCommand(args, { environment });
    await watch.match(/"groups"[^]*"groups"/);
    watch.child.kill('SIGINT');
    assert.equal(await watch.exit(), 130);
  });

  test('names that were nearly right get a suggestion', async () => {
    const topic = await runCommand(['topic', 'describe', 'shpae'], { environment });
    assert.match(topic.stderr, /did you mean shape\?/);
    const reader = await runCommand(['sub', 'shpae', '-b', kafka, '-e']);
    assert.equal(reader.code, 3);
    assert.match(reader.stderr, /did you mean shape\?/);
  });
});
