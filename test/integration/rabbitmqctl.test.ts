import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { App } from '../../src/server/app.ts';
import { SERVER_DEFAULTS } from '../../src/server/options.ts';
import { connect } from 'amqplib';
import { closed, ManagementBroker } from '../support/management.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('rabbitmqctl', () => {
  let broker: ManagementBroker;

  before(async () => {
    broker = await ManagementBroker.start();
  });
  after(() => broker.stop());

  it('manages users, permissions, virtual hosts and policies', async () => {
    const { ctl } = { ctl: broker.ctl.bind(broker) };
    assert.match((await ctl('add_user', 'u', 'p')).stdout, /^Adding user "u" \.\.\.\nDone\./);
    const again = await ctl('add_user', 'u', 'p');
    assert.deepEqual([again.exitCode, again.stderr], [70, 'Error:\nUser "u" already exists\n']);
    assert.equal((await ctl('add_vhost', 'v')).exitCode, 0);
    assert.equal((await ctl('set_permissions', '-p', 'v', 'u', '.*', '.*', '.*')).exitCode, 0);
    assert.equal(
      (await ctl('-q', 'list_permissions', '-p', 'v')).stdout,
      'user\tconfigure\twrite\tread\nu\t.*\t.*\t.*\n',
    );
    assert.equal((await ctl('set_user_tags', 'u', 'monitoring')).exitCode, 0);
    assert.match((await ctl('list_users')).stdout, /^u\t\[monitoring\]$/m);
    const policy = await ctl(
      'set_policy',
      '--priority',
      '3',
      '-p',
      'v',
      'p',
      '^a',
      '{"max-length":5}',
    );
    assert.match(policy.stdout, /with priority "3" for vhost "v"/);
    assert.match(
      (await ctl('list_policies', '-p', 'v')).stdout,
      /^v\tp\t\^a\tall\t\{"max-length":5\}\t3$/m,
    );
    assert.equal((await ctl('clear_policy', '-p', 'v', 'p')).exitCode, 0);
    assert.equal((await ctl('clear_policy', '-p', 'v', 'p')).exitCode, 69);
    assert.equal((await ctl('delete_user', 'u')).exitCode, 0);
    assert.equal((await ctl('delete_user', 'u')).exitCode, 67);
    assert.equal((await ctl('delete_vhost', 'v')).exitCode, 0);
    assert.equal((await ctl('no_such_verb')).exitCode, 64);
  });

  it('lists connections as test suites read them, and closes one', async () => {
    const connection = await broker.connect('by-ctl');
    const { stdout } = await broker.ctl(
      '-n',
      'rabbit@anywhere',
      'list_connections',
      '-q',
      'pid',
      'peer_port',
      'client_properties',
    );
    const [header, ...rows] = stdout.trimEnd().split('\n');
    assert.equal(header, 'pid\tpeer_port\tclient_properties');
    const row = rows.find((line) => line.includes('{"connection_name","by-ctl"}'));
    const [pid = '', port = ''] = row?.split('\t') ?? [];
    assert.match(pid, /^<rabbit@.+>$/);
    assert.ok(Number.isInteger(Number(port)));
    const end = closed(connection);
    assert.equal((await broker.ctl('close_connection', pid, 'Closed via rabbitmqctl')).exitCode, 0);
    await end;
  });

  it('raises alarms: publishers are told that they are blocked', async () => {
    const connection = await broker.connect();
    const blocked = new Promise<string>((resolve) => connection.once('blocked', resolve));
    const unblocked = new Promise<void>((resolve) => connection.once('unblocked', () => resolve()));
    assert.equal((await broker.ctl('set_vm_memory_high_watermark', '0.000000001')).exitCode, 0);
    assert.equal(await blocked, 'low on memory');
    assert.equal((await broker.ctl('set_vm_memory_high_watermark', '0.9')).exitCode, 0);
    await unblocked;
  });

  it('knows the expressions that suites evaluate, and refuses others', async () => {
    const set = await broker.ctl('eval', 'application:set_env(rabbit, channel_max, 100).');
    assert.equal(set.stdout, 'ok\n');
    const get = await broker.ctl('eval', 'application:get_env(rabbit, loopback_users).');
    assert.equal(get.stdout, '{ok,[<<"guest">>]}\n');
    assert.equal((await broker.ctl('eval', 'init:stop().')).exitCode, 65);
  });

  it('says that an embedded broker is stopped by its program', async () => {
    assert.equal((await broker.ctl('stop_app')).exitCode, 69);
  });
});

describe('rabbitmqctl stop_app and start_app', () => {
  it('restart the broker: durable things stay, others go, addresses are the same', async (t) => {
    const folder = await tempFolder();
    t.after(() => folder.remove());
    const listener = (scheme: string) => ({
      name: scheme,
      scheme,
      host: '127.0.0.1',
      port: 0,
      tls: null,
    });
    const app = await App.start({
      ...SERVER_DEFAULTS,
      storage: { kind: 'disk', path: folder.path },
      listeners: [listener('amqp'), listener('admin')],
    });
    t.after(() => app.close('abort'));
    const before = app.listeners.map(({ port }) => port);
    const [amqpPort, adminPort] = before;
    const ctl = async (...args: readonly string[]) => {
      const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1/commands/rabbitmqctl`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ args }),
      });
      return (await response.json()) as { exitCode: number; stdout: string };
    };
    const first = await connect(`amqp://127.0.0.1:${amqpPort}`);
    first.on('error', () => {});
    const channel = await first.createConfirmChannel();
    await channel.assertQueue('durable', { durable: true });
    await channel.assertQueue('transient', { durable: false });
    channel.publish('', 'durable', Buffer.from('kept'), { persistent: true });
    await channel.waitForConfirms();
    const gone = closed(first);
    assert.equal((await ctl('stop_app')).exitCode, 0);
    await gone;
    assert.equal((await ctl('list_queues')).exitCode, 69);
    assert.equal((await fetch(`http://127.0.0.1:${adminPort}/api/v1/topics`)).status, 503);
    await assert.rejects(connect(`amqp://127.0.0.1:${amqpPort}`), /ECONNREFUSED/);
    assert.equal((await ctl('start_app')).exitCode, 0);
    assert.deepEqual(
      app.listeners.map(({ port }) => port),
      before,
    );
    assert.equal((await ctl('-q', 'list_queues')).stdout, 'name\tmessages\ndurable\t1\n');
    const second = await connect(`amqp://127.0.0.1:${amqpPort}`);
    await second.close();
    await app.close();
  });
});
