import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';
import { ManagementBroker } from '../support/management.ts';

let broker: ManagementBroker;

before(async () => {
  broker = await ManagementBroker.start();
});
after(() => broker.stop());

async function run(
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const terminal = new FakeTerminal({
    environment: { LYREBIRD_SERVER: broker.broker.url('admin'), XDG_CONFIG_HOME: '/nonexistent' },
  });
  const code = await runCommandLine(args, terminal);
  return { code, out: terminal.stdout, err: terminal.stderr };
}

async function ok(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${err}`);
  return out;
}

describe('lyrebird queue', () => {
  it('creates, lists, peeks without consuming, purges and deletes', async () => {
    await ok('queue', 'create', 'jobs', '-t', 'quorum', '-a', 'x-delivery-limit=5');
    const channel = await broker.channel();
    channel.publish('', 'jobs', Buffer.from('first'));
    channel.publish('', 'jobs', Buffer.from('second'));
    await channel.waitForConfirms();
    assert.match(await ok('queue', 'list', 'j*'), /^jobs\s+quorum\s+2\s+0\s+0\s+11/m);
    const { messages } = JSON.parse(await ok('queue', 'peek', 'jobs', '-o', 'json')) as {
      messages: { payload: string; redelivered: boolean }[];
    };
    assert.deepEqual(
      messages.map(({ payload, redelivered }) => [payload, redelivered]),
      [
        ['first', false],
        ['second', false],
      ],
    );
    assert.match(await ok('queue', 'describe', 'jobs'), /x-delivery-limit/);
    await ok('queue', 'pause', 'jobs');
    assert.match(await ok('queue', 'list'), /paused/);
    await ok('queue', 'resume', 'jobs');
    const preview = await run('queue', 'delete', 'jobs', '--dry-run');
    assert.match(preview.err, /would delete jobs \(2 messages, 0 consumers\)/);
    assert.equal((await run('queue', 'purge', 'jobs')).code, 8);
    await ok('queue', 'purge', 'jobs', '--yes');
    await ok('queue', 'delete', 'jobs', '--yes');
    const gone = await run('queue', 'describe', 'jobs');
    assert.equal(gone.code, 3);
  });
});

describe('lyrebird exchange, binding, vhost, user, permission, policy', () => {
  it('makes, lists and takes away what AMQP has', async () => {
    await ok('exchange', 'create', 'events', '-t', 'topic');
    await ok('queue', 'create', 'mail', 'audit');
    await ok('binding', 'create', 'events', 'mail', '-k', 'order.*');
    assert.match(await ok('binding', 'list'), /^events\s+queue\s+mail\s+order\.\*/m);
    assert.equal((await run('exchange', 'create', 'events', '-t', 'direct')).code, 2);
    await ok('binding', 'delete', 'events', 'mail', '-k', 'order.*');
    assert.doesNotMatch(await ok('binding', 'list'), /^events/m);
    await ok('exchange', 'delete', 'events', '--yes');
    assert.doesNotMatch(await ok('exchange', 'list'), /^events/m);
    await ok('vhost', 'create', 'staging', '-d', 'before production');
    assert.match(await ok('vhost', 'list'), /^staging\s+0\s+before production/m);
    await ok('policy', 'set', 'limit', '^ma', '-s', 'max-length=5', '--priority', '2');
    assert.match(await ok('policy', 'list'), /^limit\s+\^ma\s+all\s+2\s+\{"max-length":5\}/m);
    await ok('policy', 'delete', 'limit');
    await broker.status('PUT', '/users/app', { password: 'p', tags: '' });
    await ok('permission', 'set', 'app', '--vhost', 'staging', '--read', '^logs');
    assert.match(await ok('permission', 'list'), /^app\s+staging\s+\.\*\s+\.\*\s+\^logs/m);
    await ok('permission', 'clear', 'app', '--vhost', 'staging');
    await ok('user', 'delete', 'app', '--yes');
    assert.doesNotMatch(await ok('user', 'list'), /^app/m);
    await ok('vhost', 'delete', 'staging', '--yes');
  });
});
