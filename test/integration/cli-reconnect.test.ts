import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freePort } from '../support/broker-process.ts';
import { RunningCommand, runCommand } from '../support/command.ts';
import { tempFolder } from '../support/temp-folder.ts';

const port = await freePort();
const kafka = `127.0.0.1:${port}`;
const folder = await tempFolder();
const commands: RunningCommand[] = [];
after(async () => {
  for (const command of commands) await command.kill();
  await folder.remove();
});

function run(...args: string[]): RunningCommand {
  const command = new RunningCommand(args);
  commands.push(command);
  return command;
}

async function startBroker(): Promise<RunningCommand> {
  const broker = run('start', '--data', folder.path, '--listen', `kafka://${kafka}`);
  await broker.match(/^ready in \d+ ms$/m);
  return broker;
}

async function publish(...args: string[]): Promise<void> {
  const { code, stderr } = await runCommand(['pub', '-b', kafka, ...args]);
  assert.equal(code, 0, stderr);
}

test('readers go on behind what they printed when their broker is back, members of groups too', async () => {
  let broker = await startBroker();
  await publish('alone', 'a');
  await publish('shared', 'a');
  const format = ['-f', '%o %v\\n'];
  const alone = run('sub', 'alone', '-b', kafka, '-o', 'start', ...format);
  const member = run(
    'sub',
    'shared',
    '-b',
    kafka,
    '-g',
    'team',
    '-o',
    'start',
    '-n',
    '2',
    ...format,
  );
  await alone.match(/^0 a$/m);
  await member.match(/^0 a$/m);
  await broker.kill();
  await alone.match(/trying again for 1m/, 'stderr');
  broker = await startBroker();
  await publish('alone', 'b');
  await publish('shared', 'b');
  await alone.match(/^1 b$/m);
  assert.equal(await member.exit(), 0, member.stderr);
  assert.equal(member.stdout, '0 a\n1 b\n');
  assert.equal(alone.stdout, '0 a\n1 b\n');
  assert.match(alone.stderr, /^connected again$/m);
  const again = await runCommand(['sub', 'shared', '-b', kafka, '-g', 'team', '-o', 'start', '-e']);
  assert.equal(again.stdout, '', 'the member committed everything it had printed');
  alone.child.kill('SIGINT');
  assert.equal(await alone.exit(), 130);

  const impatient = run('sub', 'alone', '-b', kafka, '-o', 'start', '--reconnect', '300ms');
  await impatient.match(/^b$/m);
  await broker.kill();
  assert.equal(await impatient.exit(), 6);
  assert.match(impatient.stderr, /LB6001.*for 300ms/);
});

test('a publisher sends what has no answer again, once', async () => {
  const other = await freePort();
  const data = await tempFolder();
  const args = ['start', '--data', data.path, '--listen', `kafka://127.0.0.1:${other}`];
  const start = async (): Promise<RunningCommand> => {
    const broker = run(...args);
    await broker.match(/^ready in \d+ ms$/m);
    return broker;
  };
  try {
    const broker = await start();
    const lines = Array.from({ length: 200_000 }, (_, index) => `${index}\n`).join('');
    const publisher = new RunningCommand(['pub', 'many', '-b', `127.0.0.1:${other}`, '--json'], {
      input: lines,
    });
    commands.push(publisher);
    await publisher.match(/"offset":1000\}/);
    await broker.kill();
    await publisher.match(/trying again for 1m/, 'stderr');
    const next = await start();
    assert.equal(await publisher.exit(), 0, publisher.stderr);
    const all = ['sub', 'many', '-b', `127.0.0.1:${other}`, '-o', 'start', '-e'];
    const { stdout } = await runCommand(all);
    assert.equal(stdout, lines);
    await next.kill();
  } finally {
    await data.remove();
  }
});
