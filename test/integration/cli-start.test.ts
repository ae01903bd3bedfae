import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunningCommand, runCommand, type CommandOptions } from '../support/command.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

// The contract of docs/reference/cli.md, "Starting a broker": what harnesses and people rely on.

const folders: TempFolder[] = [];
const running: RunningCommand[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.kill()));
  await Promise.all(folders.splice(0).map((folder) => folder.remove()));
});

async function makeFolder(): Promise<string> {
  const folder = await tempFolder();
  folders.push(folder);
  return folder.path;
}

const KAFKA = ['--listen', 'kafka://127.0.0.1:0'];

function start(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const command = new RunningCommand(['start', ...args], options);
  running.push(command);
  return command;
}

async function ready(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<RunningCommand> {
  const command = start(args, options);
  await command.match(/^ready in \d+ ms$/m);
  return command;
}

/** A start that cannot succeed: the one line it says. */
async function refusal(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const command = start(args, options);
  assert.equal(await command.exit(), 1, command.stderr);
  assert.equal(command.stdout, '');
  const errors = command.stderr.split('\n').filter((line) => line.startsWith('error'));
  assert.equal(errors.length, 1, command.stderr);
  return errors[0] ?? '';
}

function portOf(command: RunningCommand): number {
  return Number(/^listening kafka:\/\/127\.0\.0\.1:(\d+)$/m.exec(command.stdout)?.[1]);
}

describe('ready', () => {
  test('means: a line per listener, a last line, and the ready file, which a clean stop removes', async () => {
    const readyFile = join(await makeFolder(), 'ready.json');
    writeFileSync(readyFile, 'left by a crashed broker');
    const args = [
      '--memory',
      '--ready-file',
      readyFile,
      ...KAFKA,
      '--listen',
      'admin://127.0.0.1:0',
    ];
    const broker = await ready(args);
    assert.match(
      broker.stdout,
      /^listening kafka:\/\/127\.0\.0\.1:\d+\nlistening admin:\/\/127\.0\.0\.1:\d+\nready in \d+ ms\n$/,
    );
    const facts = JSON.parse(readFileSync(readyFile, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(facts), ['pid', 'version', 'startedMs', 'listeners']);
    assert.equal(facts['pid'], broker.pid);
    const listeners = facts['listeners'] as { scheme: string; host: string; port: number }[];
    assert.deepEqual(
      listeners.map(({ scheme, host }) => `${scheme} ${host}`),
      ['kafka 127.0.0.1', 'admin 127.0.0.1'],
    );
    assert.equal(listeners[0]?.port, portOf(broker));
    const answer = await fetch(`http://127.0.0.1:${listeners[1]?.port}/readyz`);
    assert.equal(answer.status, 200);
    await answer.text();

    broker.child.kill('SIGTERM');
    assert.equal(await broker.exit(), 0);
    assert.equal(existsSync(readyFile), false);
  });

  test('only the listeners that were asked for open', async () => {
    const broker = await ready(['--memory', ...KAFKA]);
    assert.equal(broker.stdout.match(/^listening /gm)?.length, 1);
    broker.child.kill('SIGINT');
    assert.equal(await broker.exit(), 0);
  });

  test('the data folder is made, and what was acknowledged survives kill -9', async () => {
    const data = join(await makeFolder(), 'deep', 'data');
    const first = await ready(['--data', data, ...KAFKA]);
    assert.ok(readdirSync(data).length > 0);
    const published = await runCommand([
      'pub',
      'kept',
      'hello',
      '-b',
      `127.0.0.1:${portOf(first)}`,
    ]);
    assert.equal(published.code, 0, published.stderr);
    first.child.kill('SIGKILL');
    assert.equal(await first.exit(), 'SIGKILL');
    const second = await ready(['--data', data, ...KAFKA]);
    const broker = `127.0.0.1:${portOf(second)}`;
    const read = await runCommand(['sub', 'kept', '-b', broker, '-o', 'start', '-e']);
    assert.equal(read.stdout, 'hello\n');
  });
});

describe('signals', () => {
  test('a second one ends the broker at once', async () => {
    const broker = await ready(['--memory', ...KAFKA, '--listen', 'admin://127.0.0.1:0']);
    // A request that never ends keeps the stop waiting.
    const port = Number(/^listening admin:\/\/\S+:(\d+)$/m.exec(broker.stdout)?.[1]);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nx-never: ');
    await fetch(`http://127.0.0.1:${port}/healthz`).then((response) => response.text());
    broker.child.kill('SIGTERM');
    await broker.match(/server\.stopping/, 'stderr');
    broker.child.kill('SIGTERM');
    assert.equal(await broker.exit(), 143);
    socket.destroy();
  });

  test('SIGHUP reads the configuration again, and says what needs a restart', async () => {
    const file = join(await makeFolder(), 'lyrebird.toml');
    writeFileSync(file, '[log]\nlevel = "info"\n[node]\nid = 1\n');
    const broker = await ready(['--memory', '--config', file, ...KAFKA]);
    writeFileSync(file, '[log]\nlevel = "debug"\n[node]\nid = 2\n');
    broker.child.kill('SIGHUP');
    const line = await broker.match(/^.*config\.reloaded.*$/m, 'stderr');
    const fields = JSON.parse(line[0]) as Record<string, unknown>;
    assert.deepEqual(fields['applied'], ['log.level']);
    assert.deepEqual(fields['needRestart'], ['node.id']);
    writeFileSync(file, '[log]\nlevle = "debug"\n');
    broker.child.kill('SIGHUP');
    await broker.match(/config\.reload-failed.*did you mean log\.level/, 'stderr');
    broker.child.kill('SIGTERM');
    assert.equal(await broker.exit(), 0);
  });
});

describe('a start that cannot succeed exits 1 with one line', () => {
  test('for a port that is taken: by whom', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const line = await refusal(['--memory', '--listen', `kafka://127.0.0.1:${port}`]);
    assert.match(line, new RegExp(`^error\\[LB1002\\]: 127\\.0\\.0\\.1:${port}`));
    if (process.platform === 'linux') assert.match(line, new RegExp(`pid ${process.pid}`));
    holder.close();
  });

  test('for a data folder that another broker holds: its pid', async () => {
    const data = await makeFolder();
    const holder = await ready(['--data', data, ...KAFKA]);
    const line = await refusal(['--data', data, ...KAFKA]);
    assert.match(line, new RegExp(`^error\\[LB1003\\]: .*${holder.pid}`));
  });

  test('for an unknown key: the one that was meant', async () => {
    assert.equal(
      await refusal(['--memory', ...KAFKA, '--set', 'kafka.auto_create_topic=true']),
      'error[LB1001]: --set: kafka.auto_create_topic: is not a key; did you mean kafka.auto_create_topics?',
    );
    const environment = { LYREBIRD_STORAGE__DURABILTY: 'os' };
    assert.match(
      await refusal(['--memory', ...KAFKA], { environment }),
      /^error\[LB1001\]: LYREBIRD_STORAGE__DURABILTY: .*LYREBIRD_STORAGE__DURABILITY\?$/,
    );
  });

  test('for a listener outside loopback without authentication: the key that accepts it', async () => {
    const open = ['--memory', '--listen', 'kafka://0.0.0.0:0'];
    assert.match(await refusal(open), /^error\[LB1004\]: .*security\.anonymous = "allow"/);
    const broker = await ready([...open, '--set', 'security.anonymous=allow']);
    assert.match(broker.stdout, /^listening kafka:\/\/0\.0\.0\.0:\d+$/m);
  });

  test('for a protocol nobody speaks', async () => {
    assert.match(await refusal(['--memory', '--listen', 'gopher://127.0.0.1:0']), /gopher/);
  });
});

test('flag beats environment beats file', async () => {
  const file = join(await makeFolder(), 'lyrebird.toml');
  writeFileSync(file, '[kafka]\nauto_create_partitions = 2\n[storage]\ndurability = "os"\n');
  const environment = {
    LYREBIRD_CONFIG: file,
    LYREBIRD_KAFKA__AUTO_CREATE_PARTITIONS: '3',
    LYREBIRD_NODE__ID: '7',
  };
  const show = ['config', 'show', '--json', '--set', 'node.id=8'];
  const shown = await runCommand(show, { environment });
  const { config } = JSON.parse(shown.stdout) as {
    config: { key: string; text: string; origin: object }[];
  };
  const entry = (key: string) => config.find((candidate) => candidate.key === key);
  assert.deepEqual(entry('node.id'), {
    key: 'node.id',
    text: '8',
    origin: { layer: 'flag', source: '--set' },
  });
  assert.equal(entry('kafka.auto_create_partitions')?.text, '3');
  assert.equal(entry('storage.durability')?.text, 'os');
  const broker = await ready(['--memory', ...KAFKA], { environment });
  const published = await runCommand([
    'pub',
    'made',
    'x',
    '-p',
    '2',
    '-b',
    `127.0.0.1:${portOf(broker)}`,
  ]);
  assert.equal(published.code, 0, published.stderr);
});

test('usage errors exit 2 and name the flag', async () => {
  const both = await runCommand(['start', '--memory', '--data', 'x']);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /--data and --memory/);
  const unknown = await runCommand(['start', '--memroy']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /--memory/);
});

test('without a build, the executable says what to run', async () => {
  const folder = await makeFolder();
  cpSync(fileURLToPath(new URL('../../bin', import.meta.url)), join(folder, 'bin'), {
    recursive: true,
  });
  const result = spawnSync(process.execPath, [join(folder, 'bin', 'lyrebird'), 'start'], {
    encoding: 'utf8',
  });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /npm start.*npm run build/s);
});
