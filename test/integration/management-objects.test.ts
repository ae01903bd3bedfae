import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ManagementBroker } from '../support/management.ts';

type Row = Record<string, unknown>;

let broker: ManagementBroker;

before(async () => {
  broker = await ManagementBroker.start();
});
after(() => broker.stop());

describe('management API: virtual hosts, users, permissions', () => {
  it('makes virtual hosts, and gives their maker rights in them', async () => {
    const body = { description: 'd', tags: 'a,b', default_queue_type: 'quorum' };
    assert.equal(await broker.status('PUT', '/vhosts/v', body), 201);
    assert.equal(await broker.status('PUT', '/vhosts/v', body), 204);
    const row = await broker.get('/vhosts/v');
    assert.deepEqual(
      [row['description'], row['tags'], row['default_queue_type'], row['messages']],
      ['d', ['a', 'b'], 'quorum', 0],
    );
    assert.equal(await broker.status('PUT', '/queues/v/q', { durable: true }), 201);
    assert.equal((await broker.get('/queues/v/q'))['type'], 'quorum');
    assert.equal(await broker.status('DELETE', '/vhosts/v'), 204);
    assert.equal(await broker.status('DELETE', '/vhosts/v'), 404);
    assert.equal(await broker.status('GET', '/queues/v'), 404);
  });

  it('makes users by password and by hash', async () => {
    assert.equal(await broker.status('PUT', '/users/a', { password: 'p', tags: 'x,y' }), 201);
    const user = await broker.get('/users/a');
    assert.deepEqual(user['tags'], ['x', 'y']);
    const copy = { password_hash: user['password_hash'], tags: ['management'] };
    assert.equal(await broker.status('PUT', '/users/b', copy), 201);
    assert.equal((await broker.request('GET', '/whoami', { user: 'b:p' })).status, 200);
    assert.equal(await broker.status('PUT', '/users/c', { password: 'p' }), 400);
    assert.equal(await broker.status('PUT', '/users/c', { password_hash: 'xx', tags: '' }), 400);
    const idle = await broker.get<Row[]>('/users/without-permissions');
    assert.deepEqual(
      idle.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.equal(await broker.status('POST', '/users/bulk-delete', { users: ['a', 'b'] }), 204);
    assert.equal(await broker.status('GET', '/users/a'), 404);
    const { ok } = await broker.get<{ ok: string }>('/auth/hash_password/secret');
    assert.equal(Buffer.from(ok, 'base64').length, 36);
  });

  it('keeps permissions and permissions for topics', async () => {
    await broker.status('PUT', '/users/p', { password: 'p', tags: '' });
    const rights = { configure: '.*', write: '.*', read: '^p' };
    assert.equal(await broker.status('PUT', '/permissions/%2F/p', rights), 201);
    assert.equal(await broker.status('PUT', '/permissions/%2F/p', rights), 204);
    assert.equal(await broker.status('PUT', '/permissions/%2F/none', rights), 400);
    assert.equal(await broker.status('PUT', '/permissions/%2F/p', { ...rights, read: '[' }), 400);
    assert.deepEqual(await broker.get('/permissions/%2F/p'), { user: 'p', vhost: '/', ...rights });
    const topic = { exchange: 'amq.topic', write: '^a', read: '.*' };
    assert.equal(await broker.status('PUT', '/topic-permissions/%2F/p', topic), 201);
    assert.deepEqual(await broker.get('/topic-permissions/%2F/p'), [
      { user: 'p', vhost: '/', ...topic },
    ]);
    assert.equal(await broker.status('DELETE', '/topic-permissions/%2F/p'), 204);
    assert.equal(await broker.status('DELETE', '/permissions/%2F/p'), 204);
    assert.equal(await broker.status('GET', '/permissions/%2F/p'), 404);
    await broker.status('DELETE', '/users/p');
  });
});

describe('management API: policies, parameters, limits', () => {
  it('applies policies, and refuses what they cannot be', async () => {
    await broker.status('PUT', '/queues/%2F/limited', {});
    const policy = {
      pattern: '^lim',
      definition: { 'max-length': 5 },
      priority: 2,
      'apply-to': 'queues',
    };
    assert.equal(await broker.status('PUT', '/policies/%2F/p', policy), 201);
    assert.deepEqual(await broker.get('/policies/%2F/p'), { vhost: '/', name: 'p', ...policy });
    const operator = { pattern: '.*', definition: { expires: 60_000 }, 'apply-to': 'queues' };
    assert.equal(await broker.status('PUT', '/operator-policies/%2F/o', operator), 201);
    const row = await broker.get('/queues/%2F/limited');
    assert.deepEqual([row['policy'], row['operator_policy']], ['p', 'o']);
    assert.deepEqual(row['effective_policy_definition'], { 'max-length': 5, expires: 60_000 });
    const wrong = await broker.request('PUT', '/policies/%2F/w', {
      body: { pattern: '.*', definition: { foo: 5 } },
    });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /Validation failed\\n\\n\[\{<<\\"foo\\">>,5\}\]/);
    assert.equal(await broker.status('PUT', '/policies/%2F/w', { definition: {} }), 400);
    assert.equal(await broker.status('DELETE', '/policies/%2F/p'), 204);
    assert.equal(await broker.status('DELETE', '/policies/%2F/p'), 404);
    await broker.status('DELETE', '/operator-policies/%2F/o');
    await broker.status('DELETE', '/queues/%2F/limited');
  });

  it('keeps parameters and limits', async () => {
    const value = { uri: 'amqp://' };
    assert.equal(await broker.status('PUT', '/parameters/shovel/%2F/s', { value }), 201);
    assert.deepEqual(await broker.get('/parameters/shovel/%2F/s'), {
      value,
      vhost: '/',
      component: 'shovel',
      name: 's',
    });
    assert.equal(await broker.status('DELETE', '/parameters/shovel/%2F/s'), 204);
    assert.equal(await broker.status('PUT', '/global-parameters/g', { value: 1 }), 201);
    assert.deepEqual(await broker.get('/global-parameters/g'), { value: 1, name: 'g' });
    assert.equal(await broker.status('PUT', '/cluster-name', { name: 'here' }), 204);
    assert.deepEqual(await broker.get('/cluster-name'), { name: 'here' });
    assert.equal(await broker.status('PUT', '/vhost-limits/%2F/max-queues', { value: 100 }), 204);
    assert.deepEqual(await broker.get('/vhost-limits/%2F'), [
      { vhost: '/', value: { 'max-queues': 100 } },
    ]);
    assert.equal(await broker.status('DELETE', '/vhost-limits/%2F/max-queues'), 204);
    assert.equal(await broker.status('PUT', '/vhost-limits/%2F/max-foo', { value: 1 }), 400);
    assert.equal(await broker.status('PUT', '/user-limits/guest/max-channels', { value: 9 }), 204);
    assert.deepEqual(await broker.get('/user-limits'), [
      { user: 'guest', value: { 'max-channels': 9 } },
    ]);
    assert.equal(await broker.status('PUT', '/user-limits/guest/max-channels', { value: -1 }), 204);
    assert.deepEqual(await broker.get('/user-limits'), []);
  });
});

describe('management API: definitions and health', () => {
  it('exports what it imports', async () => {
    const document = {
      vhosts: [{ name: 'imported' }],
      permissions: [{ user: 'guest', vhost: 'imported', configure: '.*', write: '.*', read: '.*' }],
      queues: [{ name: 'q', vhost: 'imported', durable: true, auto_delete: false, arguments: {} }],
      exchanges: [
        {
          name: 'x',
          vhost: 'imported',
          type: 'fanout',
          durable: true,
          auto_delete: false,
          internal: false,
          arguments: {},
        },
      ],
      bindings: [
        {
          source: 'x',
          vhost: 'imported',
          destination: 'q',
          destination_type: 'queue',
          routing_key: '',
          arguments: {},
        },
      ],
    };
    assert.equal(await broker.status('POST', '/definitions', document), 204);
    const all = await broker.get('/definitions');
    assert.equal(all['rabbit_version'], '3.13.7');
    assert.ok((all['queues'] as Row[]).some(({ vhost }) => vhost === 'imported'));
    const one = await broker.get('/definitions/imported');
    assert.deepEqual(
      (one['bindings'] as Row[]).map(({ destination }) => destination),
      ['q'],
    );
    assert.equal(await broker.status('POST', '/definitions', '[]'), 400);
    assert.equal(await broker.status('POST', '/definitions', { queues: [{ name: 'a' }] }), 400);
    assert.equal(await broker.status('DELETE', '/vhosts/imported'), 204);
  });

  it('answers health checks', async () => {
    assert.deepEqual(await broker.get('/aliveness-test/%2F'), { status: 'ok' });
    assert.deepEqual(await broker.get('/health/checks/alarms'), { status: 'ok' });
    const { port } = broker.broker.address('amqp');
    assert.deepEqual(await broker.get(`/health/checks/port-listener/${port}`), {
      status: 'ok',
      port,
    });
    assert.equal(await broker.status('GET', '/health/checks/port-listener/1'), 503);
    assert.equal(await broker.status('GET', '/health/checks/port-listener/x'), 400);
    assert.equal(await broker.status('GET', '/health/checks/protocol-listener/amqp091'), 200);
    assert.equal(await broker.status('GET', '/health/checks/protocol-listener/mqtt'), 503);
    assert.equal(await broker.status('GET', '/health/checks/certificate-expiration/1/months'), 200);
    await broker.ctl('eval', 'rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).');
    const alarm = await broker.request('GET', '/health/checks/local-alarms');
    assert.equal(alarm.status, 503);
    assert.match(alarm.text, /"resource":"memory"/);
    await broker.ctl('eval', 'rabbit_alarm:clear_alarm({resource_limit, memory, node()}).');
    assert.equal(await broker.status('GET', '/health/checks/local-alarms'), 200);
  });
});
