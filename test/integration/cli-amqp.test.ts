import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type ChannelModel } from 'amqplib';
import { RunningCommand, runCommand } from '../support/command.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

let broker: RunningCommand;
let amqp = '';
let peer: ChannelModel;
let folder: TempFolder;

before(async () => {
  broker = new RunningCommand(['start', '--memory', '--listen', 'amqp://127.0.0.1:0']);
  amqp = (await broker.match(/^listening (amqp:\/\/\S+)$/m))[1] ?? '';
  await broker.match(/^ready in/m);
  peer = await connect(amqp);
  folder = await tempFolder();
});
after(async () => {
  await peer.close();
  await broker.kill();
  await folder.remove();
});

/** A queue that does not outlive the broker's memory. */
async function declare(queue: string): Promise<void> {
  const channel = await peer.createChannel();
  await channel.assertQueue(queue, { durable: true });
  await channel.close();
}

async function ok(args: readonly string[], input = ''): Promise<string> {
  const result = await runCommand(args, { input });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

describe('pub and sub', () => {
  test('a queue: headers, properties, formats; what was printed is gone', async () => {
    await declare('jobs');
    const url = `${amqp}/jobs`;
    const property = ['--property', 'content-type=text/plain'];
    assert.equal(
      await ok(['pub', url, 'first', '-H', 'h: 1', ...property, '--json']),
      '{"topic":"jobs"}\n',
    );
    await ok(['pub', url, '-q'], 'second\nthird\n');
    assert.equal(
      await ok(['sub', url, '-n', '1', '-f', '%t %k %v %h\\n']),
      'jobs jobs first h=1\n',
    );
    const lines = (await ok(['sub', url, '-e', '--json'])).trim().split('\n');
    const { value, properties } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.equal(value, 'second');
    assert.deepEqual(properties, { exchange: '', redelivered: false, 'delivery-mode': 2 });
    assert.equal(lines.length, 2);
    assert.equal(await ok(['sub', url, '-e', '--no-ack']), '');
  });

  test('an exchange: a live reader, keys from the command and from lines', async () => {
    const reader = new RunningCommand([
      'sub',
      `${amqp}/amq.topic/a.%23`,
      '-n',
      '3',
      '-f',
      '%k=%v\\n',
    ]);
    // Its queue is there when a mandatory message arrives.
    const probe = ['pub', `${amqp}/amq.topic/a.0`, 'probe', '--mandatory'];
    while ((await runCommand(probe)).code !== 0);
    await ok(['pub', `${amqp}/amq.topic/`, 'keyed', '-k', 'a.b']);
    await ok(['pub', `${amqp}/amq.topic/`, '-K', ':'], 'a.c:from a line\nother:not read\n');
    assert.equal(await reader.exit(), 0);
    assert.equal(reader.stdout, 'a.0=probe\na.b=keyed\na.c=from a line\n');
  });

  test('what fails has an exit code that says how', async () => {
    const code = async (...args: string[]) => (await runCommand(args)).code;
    assert.equal(await code('pub', `${amqp}/absent`, 'x'), 3);
    assert.equal(await code('sub', `${amqp}/absent`), 3);
    assert.equal(await code('pub', `${amqp}/amq.direct/nobody`, 'x', '--mandatory'), 3);
    assert.equal(await code('pub', `${amqp}/amq.direct/nobody`, 'x'), 0);
    assert.equal(await code('pub', `${amqp}/absent?vhost=none`, 'x'), 5);
    assert.equal(await code('pub', 'amqp://127.0.0.1:1/jobs', 'x'), 6);
    assert.equal(await code('pub', `${amqp}/jobs`, 'x', '--property', 'priority=high'), 2);
    assert.equal(await code('sub', `${amqp}/jobs`, '-g', 'group'), 2);
    const wrong = amqp.replace('//', '//guest:wrong-secret@');
    const refused = await runCommand(['pub', `${wrong}/jobs`, 'x']);
    assert.equal(refused.code, 5);
    assert.doesNotMatch(refused.stderr, /secret/);
  });

  test('the password comes from the environment or a file', async () => {
    const file = join(folder.path, 'password');
    writeFileSync(file, 'guest\n');
    await declare('login');
    const login = (name: string, password: string) =>
      runCommand(['pub', `${amqp}/login`, 'x'], {
        environment: { LYREBIRD_USER: name, LYREBIRD_PASSWORD: password },
      });
    assert.equal((await login('guest', 'guest')).code, 0);
    assert.equal((await login('guest', 'other')).code, 5);
    await ok(['pub', `${amqp}/login`, 'x', '--user', 'guest', '--password-file', file]);
  });
});

describe('bench amqp', () => {
  interface Result {
    readonly bench: Readonly<
      Record<'sent' | 'confirmed' | 'received' | 'receivedBytes', number>
    > & {
      readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
      readonly confirmLatencyMs: object | null;
    };
  }
  const bench = async (...args: string[]): Promise<Result['bench']> => {
    const printed = await ok(['bench', 'amqp', '-h', amqp, '--json', '--quiet', ...args]);
    return (JSON.parse(printed) as Result).bench;
  };

  test('durable messages, with confirms, acknowledged in groups, into a CSV file', async () => {
    const csv = join(folder.path, 'run.csv');
    const load = ['-C', '1000', '-D', '1000', '-s', '100', '-f', 'persistent', '-c', '50'];
    const acks = ['-q', '100', '-A', '10', '-ad', 'false', '-qa', 'x-max-length=5000'];
    const result = await bench('-u', 'measured', ...load, ...acks, '-o', csv);
    assert.deepEqual(
      [result.sent, result.confirmed, result.received, result.receivedBytes],
      [1000, 1000, 1000, 100_000],
    );
    assert.ok(result.latencyMs !== null && result.latencyMs.p50 <= result.latencyMs.p99);
    assert.ok(result.confirmLatencyMs !== null);
    assert.match(readFileSync(csv, 'utf8'), /^id,time_s,published,.*\nbench,\d/);
    const channel = await peer.createChannel();
    assert.equal((await channel.checkQueue('measured')).messageCount, 0);
    await channel.close();
  });

  test('a queue per consumer, a rate, several channels; the default exchange', async () => {
    const copies = await bench('-y', '3', '-C', '200', '-r', '2000', '-a');
    assert.deepEqual([copies.sent, copies.received], [200, 600]);
    const shared = ['-X', '2', '-Y', '2', '-C', '100', '-a', '-e', '', '-u', 'plain'];
    const plain = await bench(...shared, '-x', '2');
    assert.deepEqual([plain.sent, plain.received], [400, 400]);
  });

  test('quorum queues, streams, a slow consumer', async () => {
    const quorum = await bench(
      '-qq',
      '-u',
      'quorum',
      '-C',
      '100',
      '-D',
      '100',
      '-R',
      '1000',
      '-q',
      '10',
    );
    assert.equal(quorum.received, 100);
    const stream = await bench(
      '-sq',
      '-u',
      'stream',
      '-C',
      '100',
      '-D',
      '100',
      '-ca',
      'x-stream-offset=first',
    );
    assert.equal(stream.received, 100);
  });

  test('flags that cannot be are refused', async () => {
    const code = async (...args: string[]) => (await runCommand(['bench', 'amqp', ...args])).code;
    assert.equal(await code('-f', 'immediate'), 2);
    assert.equal(await code('-sq', '-a'), 2);
    assert.equal(await code('-h', 'http://127.0.0.1'), 2);
    assert.equal(await code('-m', '5'), 2);
  });
});
