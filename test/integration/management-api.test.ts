import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { closed, ManagementBroker } from '../support/management.ts';

type Row = Record<string, unknown>;

let broker: ManagementBroker;

before(async () => {
  broker = await ManagementBroker.start();
});
after(() => broker.stop());

describe('management API: logging in', () => {
  it('asks for credentials, and refuses wrong ones', async () => {
    const none = await broker.request('GET', '/overview', { user: null });
    assert.equal(none.status, 401);
    assert.equal(none.headers.get('www-authenticate'), 'Basic realm="RabbitMQ Management"');
    const wrong = await broker.request('GET', '/overview', { user: 'guest:wrong' });
    assert.equal(wrong.status, 401);
    assert.deepEqual(JSON.parse(wrong.text), { error: 'not_authorized', reason: 'Login failed' });
  });

  it('lets users do what their tags and permissions say', async () => {
    await broker.status('PUT', '/vhosts/closed');
    assert.equal(
      await broker.status('PUT', '/users/u', { password: 'p', tags: 'management' }),
      201,
    );
    const rights = { configure: '^u', write: '.*', read: '.*' };
    assert.equal(await broker.status('PUT', '/permissions/%2F/u', rights), 201);
    const as = (method: string, path: string, body?: unknown) =>
      broker.request(method, path, { user: 'u:p', ...(body === undefined ? {} : { body }) });
    assert.equal((await as('GET', '/overview')).status, 200);
    for (const path of ['/users', '/nodes', '/permissions', '/parameters']) {
      assert.equal((await as('GET', path)).status, 401, path);
    }
    assert.equal((await as('PUT', '/queues/%2F/u-own', {})).status, 201);
    assert.equal((await as('PUT', '/queues/%2F/other', {})).status, 401);
    const foreign = await as('PUT', '/queues/closed/u-own', {});
    assert.deepEqual(JSON.parse(foreign.text), {
      error: 'not_authorised',
      reason: 'User not authorised to access virtual host',
    });
    const seen = JSON.parse((await as('GET', '/vhosts')).text) as Row[];
    assert.deepEqual(
      seen.map(({ name }) => name),
      ['/'],
    );
    assert.equal(await broker.status('DELETE', '/users/u'), 204);
    assert.equal((await as('GET', '/overview')).status, 401);
    await broker.status('DELETE', '/vhosts/closed');
  });

  it('serves no pages of other origins, and says which methods there are', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    assert.equal((await broker.request('GET', '/overview', { headers })).status, 401);
    const wrongMethod = await broker.request('POST', '/overview');
    assert.equal(wrongMethod.status, 405);
    assert.equal(wrongMethod.headers.get('allow'), 'HEAD, GET, OPTIONS');
    assert.equal(await broker.status('GET', '/nothing'), 404);
  });
});

describe('management API: queues', () => {
  it('declares, shows and deletes with the right codes', async () => {
    const body = { durable: true, arguments: { 'x-max-length': 100 } };
    assert.equal(await broker.status('PUT', '/queues/%2F/q', body), 201);
    assert.equal(await broker.status('PUT', '/queues/%2F/q', body), 204);
    const other = await broker.request('PUT', '/queues/%2F/q', { body: { durable: false } });
    assert.deepEqual(JSON.parse(other.text), {
      error: 'bad_request',
      reason:
        "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
    });
    assert.equal(await broker.status('PUT', '/queues/none/q', {}), 404);
    assert.equal(await broker.status('PUT', '/queues/%2F/q', '{bad'), 400);
    assert.equal(await broker.status('PUT', '/queues/%2F/amq.q', {}), 401);
    const row = await broker.get('/queues/%2F/q');
    assert.equal(row['vhost'], '/');
    assert.deepEqual(row['arguments'], { 'x-max-length': 100 });
    for (const name of ['messages', 'messages_ready', 'messages_unacknowledged']) {
      assert.equal(row[name], 0, name);
      assert.deepEqual(row[`${name}_details`], { rate: 0 });
    }
    assert.deepEqual((row['message_stats'] as Row)['publish_details'], { rate: 0 });
    assert.equal(await broker.status('DELETE', '/queues/%2F/q?if-empty=true'), 204);
    assert.equal(await broker.status('DELETE', '/queues/%2F/q'), 404);
  });

  it('keeps names that need quoting', async () => {
    const name = 'a/b %c~é';
    const path = `/queues/%2F/${encodeURIComponent(name)}`;
    assert.equal(await broker.status('PUT', path, {}), 201);
    assert.equal((await broker.get(path))['name'], name);
    assert.equal(await broker.status('DELETE', path), 204);
  });

  it('pages, filters, sorts and picks columns', async () => {
    for (let i = 0; i < 5; i++) await broker.status('PUT', `/queues/%2F/page-${i}`, {});
    const page = await broker.get(
      '/queues?page=2&page_size=2&name=%5Epage-&use_regex=true&sort=name&sort_reverse=true&columns=name,message_stats.publish',
    );
    assert.deepEqual(page['items'], [
      { name: 'page-2', message_stats: { publish: 0 } },
      { name: 'page-1', message_stats: { publish: 0 } },
    ]);
    assert.equal(page['filtered_count'], 5);
    assert.equal(page['page_count'], 3);
    const beyond = await broker.request('GET', '/queues?page=99&page_size=100');
    assert.equal(beyond.status, 400);
    assert.equal((JSON.parse(beyond.text) as Row)['error'], 'page_out_of_range');
    const [bare = {}] = await broker.get<Row[]>('/queues/%2F?name=page-0&disable_stats=true');
    assert.equal(bare['message_stats'], undefined);
    for (let i = 0; i < 5; i++) await broker.status('DELETE', `/queues/%2F/page-${i}`);
  });

  it('publishes, gets, peeks and purges', async () => {
    await broker.status('PUT', '/queues/%2F/m', {});
    const message = {
      properties: { delivery_mode: 2, headers: { h: 1 }, content_type: 'text/plain' },
      routing_key: 'm',
      payload: 'hello',
      payload_encoding: 'string',
    };
    const publish = '/exchanges/%2F/amq.default/publish';
    assert.deepEqual(await broker.post(publish, message), { routed: true });
    const binary = { ...message, properties: {}, payload: 'AAH/', payload_encoding: 'base64' };
    assert.deepEqual(await broker.post(publish, binary), { routed: true });
    assert.deepEqual(await broker.post(publish, { ...message, routing_key: 'x' }), {
      routed: false,
    });
    const get = (ackmode: string, count: number) =>
      broker.post<Row[]>('/queues/%2F/m/get', { ackmode, count, encoding: 'auto' });
    const [first, second] = await get('ack_requeue_true', 5);
    assert.deepEqual(first, {
      payload_bytes: 5,
      redelivered: false,
      exchange: '',
      routing_key: 'm',
      message_count: 1,
      properties: { content_type: 'text/plain', headers: { h: 1 }, delivery_mode: 2 },
      payload: 'hello',
      payload_encoding: 'string',
    });
    assert.deepEqual([second?.['payload'], second?.['properties']], ['AAH/', []]);
    const peeked = await broker.post<Row[]>('/queues/%2F/m/peek', { count: 1, offset: 1 });
    assert.equal(peeked[0]?.['payload'], 'AAH/');
    assert.equal((await get('ack_requeue_false', 1))[0]?.['redelivered'], true);
    assert.equal((await broker.get('/queues/%2F/m'))['messages'], 1);
    assert.equal(await broker.status('DELETE', '/queues/%2F/m/contents'), 204);
    assert.equal((await broker.get('/queues/%2F/m'))['messages'], 0);
    const wrong = await broker.request('POST', '/queues/%2F/m/get', { body: { count: 1 } });
    assert.equal(
      (JSON.parse(wrong.text) as Row)['reason'],
      '[{key_missing,ackmode},\n {key_missing,encoding}]',
    );
    await broker.status('DELETE', '/queues/%2F/m');
  });

  it('shows streams among the queues', async () => {
    const body = { arguments: { 'x-queue-type': 'stream', 'x-max-age': '7D' } };
    assert.equal(await broker.status('PUT', '/queues/%2F/s', body), 201);
    assert.equal(await broker.status('PUT', '/queues/%2F/s', body), 204);
    const row = await broker.get('/queues/%2F/s');
    assert.equal(row['type'], 'stream');
    assert.deepEqual(row['arguments'], { 'x-max-age': '7D', 'x-queue-type': 'stream' });
    const clash = { arguments: { 'x-queue-type': 'classic' } };
    assert.equal(await broker.status('PUT', '/queues/%2F/s', clash), 400);
    assert.equal(await broker.status('DELETE', '/queues/%2F/s'), 204);
  });
});

describe('management API: exchanges and bindings', () => {
  it('declares, binds, tells where the binding is, and unbinds', async () => {
    assert.equal(await broker.status('PUT', '/exchanges/%2F/x', { type: 'topic' }), 201);
    assert.equal(await broker.status('PUT', '/exchanges/%2F/x', { type: 'direct' }), 400);
    assert.equal(await broker.status('PUT', '/exchanges/%2F/y', { type: 'nope' }), 400);
    await broker.status('PUT', '/queues/%2F/bound', {});
    const made = await broker.request('POST', '/bindings/%2F/e/x/q/bound', {
      body: { routing_key: 'a.#', arguments: { k: 1 } },
    });
    assert.equal(made.status, 201);
    const location = made.headers.get('location') ?? '';
    assert.match(location, /^bound\/a\.%2523~/);
    const path = `/bindings/%2F/e/x/q/${location}`;
    assert.equal((await broker.get(path))['routing_key'], 'a.#');
    const all = await broker.get<Row[]>('/queues/%2F/bound/bindings');
    assert.deepEqual(
      all.map(({ source, routing_key: key }) => [source, key]),
      [
        ['', 'bound'],
        ['x', 'a.#'],
      ],
    );
    assert.equal((await broker.get<Row[]>('/exchanges/%2F/x/bindings/source')).length, 1);
    assert.equal(await broker.status('DELETE', '/exchanges/%2F/x?if-unused=true'), 400);
    assert.equal(await broker.status('DELETE', path), 204);
    assert.equal(await broker.status('DELETE', path), 404);
    assert.equal(await broker.status('POST', '/bindings/%2F/e/none/q/bound', {}), 404);
    assert.equal(await broker.status('POST', '/bindings/%2F/e/x/e/amq.direct', {}), 201);
    assert.equal(await broker.status('DELETE', '/exchanges/%2F/x'), 204);
    assert.equal(await broker.status('DELETE', '/exchanges/%2F/amq.direct'), 401);
    await broker.status('DELETE', '/queues/%2F/bound');
  });
});

describe('management API: clients', () => {
  it('lists connections, channels and consumers, and closes with a reason', async () => {
    const connection = await broker.connect('shown');
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('watched');
    await channel.prefetch(10);
    await channel.consume('watched', () => {}, { consumerTag: 'tag', priority: 5 });
    const rows = await broker.get<Row[]>('/connections');
    const row = rows.find((one) => one['user_provided_name'] === 'shown');
    assert.equal(row?.['protocol'], 'AMQP 0-9-1');
    assert.equal(row?.['state'], 'running');
    const path = `/connections/${encodeURIComponent(String(row?.['name']))}`;
    const [shown] = await broker.get<Row[]>(`${path}/channels`);
    assert.equal(shown?.['prefetch_count'], 10);
    const consumers = await broker.get<Row[]>('/consumers/%2F');
    assert.equal(consumers[0]?.['consumer_tag'], 'tag');
    assert.deepEqual(consumers[0]?.['arguments'], { 'x-priority': 5 });
    const detail = await broker.get(`/channels/${encodeURIComponent(String(shown?.['name']))}`);
    assert.equal((detail['consumer_details'] as Row[]).length, 1);
    const end = closed(connection);
    const headers = { 'x-reason': 'maintenance' };
    assert.equal((await broker.request('DELETE', path, { headers })).status, 204);
    await end;
    assert.equal(await broker.status('GET', path), 404);
    await broker.status('DELETE', '/queues/%2F/watched');
  });

  it('tells totals of everything', async () => {
    const overview = await broker.get('/overview');
    assert.equal(overview['rabbitmq_version'], '3.13.7');
    const totals = overview['object_totals'] as Record<string, number>;
    assert.deepEqual(Object.keys(totals).sort(), [
      'channels',
      'connections',
      'consumers',
      'exchanges',
      'queues',
    ]);
    assert.equal((overview['queue_totals'] as Row)['messages'], 0);
    const listeners = overview['listeners'] as Row[];
    assert.ok(listeners.some(({ protocol }) => protocol === 'amqp'));
    const [node] = await broker.get<Row[]>('/nodes');
    assert.equal(node?.['running'], true);
    assert.equal(
      (await broker.get(`/nodes/${String(node?.['name'])}/memory`))['memory'] !== null,
      true,
    );
  });
});
