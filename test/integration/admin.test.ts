import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import type {
  ConfigEntry,
  ErrorBody,
  GroupDetail,
  GroupSummary,
  LimitInfo,
  SeekResult,
  TopicDetail,
  TopicSummary,
  TrimResult,
} from '../../src/admin/api.ts';
import { createBroker, type LyrebirdBroker } from '../../src/index.ts';
import { consume, kafkaOf, numbered, produce } from '../support/kafkajs.ts';

let broker: LyrebirdBroker;
let base: string;

before(async () => {
  broker = await createBroker({ listeners: { kafka: {}, admin: {} } });
  base = broker.url('admin');
});

afterEach(() => broker.reset());
after(() => broker.close());

async function call<T>(method: string, path: string, body?: unknown): Promise<[number, T]> {
  const response = await fetch(base + path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  return [response.status, (text === '' ? null : JSON.parse(text)) as T];
}

/** With headers that fetch does not let us set. */
function rawStatus(
  path: string,
  headers: Record<string, string>,
  options: { method?: string; body?: string } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(base + path, { method: options.method ?? 'GET', headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

describe('admin API: topics', () => {
  it('creates, lists, shows, grows, configures, trims and deletes', async () => {
    const [status, created] = await call<TopicDetail>('POST', '/api/v1/topics', {
      name: 'orders',
      partitions: 2,
      config: { 'retention.ms': '60000' },
    });
    assert.equal(status, 201);
    assert.equal(created.partitions, 2);
    assert.deepEqual(created.overrides, { 'retention.ms': '60000' });
    await produce(kafkaOf(broker), 'orders', numbered('o', 20));

    const [, list] = await call<{ topics: TopicSummary[] }>('GET', '/api/v1/topics');
    assert.deepEqual(
      list.topics.map(({ name, records }) => [name, records]),
      [['orders', 20]],
    );
    const [, grown] = await call<TopicDetail>('POST', '/api/v1/topics/orders/partitions', {
      total: 3,
    });
    assert.equal(grown.partitionList.length, 3);

    const [, { config }] = await call<{ config: ConfigEntry[] }>(
      'PATCH',
      '/api/v1/topics/orders/config',
      { set: { 'max.message.bytes': '2000' }, unset: ['retention.ms'] },
    );
    const entry = (name: string) => config.find((candidate) => candidate.name === name);
    assert.deepEqual(
      [entry('max.message.bytes')?.value, entry('max.message.bytes')?.origin],
      ['2000', 'topic'],
    );
    assert.equal(entry('retention.ms')?.origin, 'default');

    const [, trimmed] = await call<TrimResult>('POST', '/api/v1/topics/orders/trim', {
      before: 'latest',
      partitions: [0, 9],
    });
    assert.equal(trimmed.partitions[0]?.error, null);
    assert.match(trimmed.partitions[1]?.error ?? '', /no such partition/);
    const [, after] = await call<TopicDetail>('GET', '/api/v1/topics/orders');
    assert.ok(after.records < 20);

    assert.equal((await call('DELETE', '/api/v1/topics/orders'))[0], 204);
    assert.equal((await call('GET', '/api/v1/topics/orders'))[0], 404);
  });

  it('says what is wrong with a request', async () => {
    const create = (body: unknown) => call<ErrorBody>('POST', '/api/v1/topics', body);
    const codeOf = async (answer: Promise<[number, ErrorBody]>) => {
      const [status, { error }] = await answer;
      assert.ok(error.message.length > 0);
      return [status, error.code];
    };
    assert.deepEqual(await codeOf(create({ name: 'a b' })), [400, 'invalid-request']);
    assert.deepEqual(await codeOf(create({ name: 'x', partitions: 0 })), [400, 'invalid-request']);
    assert.deepEqual(await codeOf(create({ name: 'x', typo: 1 })), [400, 'invalid-request']);
    assert.deepEqual(await codeOf(create({ name: 'x', config: { nonsense: '1' } })), [
      400,
      'invalid-request',
    ]);
    assert.deepEqual(await codeOf(create({ name: 'x', partitions: 10_000_000 })), [422, 'limit']);
    await create({ name: 'x' });
    assert.deepEqual(await codeOf(create({ name: 'x' })), [409, 'exists']);
    assert.deepEqual(await codeOf(create({ name: 'x', dryRun: true })), [409, 'exists']);
    assert.equal((await create({ name: 'y', dryRun: true }))[0], 200);
    assert.equal(broker.topics.get('y'), null);
    assert.deepEqual(await codeOf(call('DELETE', '/api/v1/topics/none')), [404, 'not-found']);
    assert.deepEqual(await codeOf(call('GET', '/api/v1/nothing')), [404, 'not-found']);
    const large = { name: 'x', config: { a: 'x'.repeat(2_000_000) } };
    assert.deepEqual(await codeOf(create(large)), [413, 'too-large']);
  });
});

describe('admin API: groups', () => {
  it('describes with lag, seeks with dry run, deletes offsets and groups', async () => {
    const kafka = kafkaOf(broker);
    await produce(kafka, 'events', numbered('e', 10));
    await consume(kafka, { topic: 'events', group: 'g', count: 10 });
    await produce(kafka, 'events', numbered('f', 4));
    const [, { groups }] = await call<{ groups: GroupSummary[] }>('GET', '/api/v1/groups');
    assert.deepEqual(
      groups.map(({ group, totalLag }) => [group, totalLag]),
      [['g', 4]],
    );
    const seek = (body: unknown) =>
      call<SeekResult>('POST', '/api/v1/groups/g/offsets', body).then(([, result]) => result);

    const planned = await seek({ target: { to: 'earliest' } });
    assert.deepEqual(planned, {
      dryRun: true,
      offsets: [{ topic: 'events', partition: 0, from: 10, to: 0, error: null }],
    });
    assert.equal(broker.groups.lag('g'), 4);
    await seek({ target: { shift: -3 }, dryRun: false });
    assert.equal(broker.groups.lag('g'), 7);
    await seek({ target: { offset: 99 }, dryRun: false });
    assert.equal(broker.groups.lag('g'), 0);
    await seek({ target: { time: '2001-01-01T00:00:00Z' }, dryRun: false });
    assert.equal(broker.groups.lag('g'), 14);
    await seek({ target: { time: Date.now() + 1e6 }, dryRun: false });
    assert.equal(broker.groups.lag('g'), 0);

    const copied = await call<SeekResult>('POST', '/api/v1/groups/h/offsets', {
      target: { group: 'g' },
      topics: [{ topic: 'events' }],
      dryRun: false,
    });
    assert.equal(copied[1].offsets[0]?.to, 14);
    const [, detail] = await call<GroupDetail>('GET', '/api/v1/groups/h');
    assert.equal(detail.offsets[0]?.committed, 14);

    const [, removed] = await call<{ partitions: unknown[] }>(
      'DELETE',
      '/api/v1/groups/h/offsets',
      { topic: 'events' },
    );
    assert.deepEqual(removed.partitions, [{ partition: 0, error: null }]);
    assert.equal((await call('DELETE', '/api/v1/groups/g'))[0], 204);
    assert.equal((await call('GET', '/api/v1/groups/g'))[0], 404);
    const unknown = await call<ErrorBody>('POST', '/api/v1/groups/none/offsets', {
      target: { to: 'latest' },
    });
    assert.equal(unknown[0], 404);
  });

  it('refuses to move a group that consumes', async () => {
    const kafka = kafkaOf(broker);
    await produce(kafka, 'busy', ['x']);
    const consumer = kafka.consumer({ groupId: 'busy' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'busy', fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    await broker.groups.waitForLag('busy', { topic: 'busy' });
    const body = { target: { to: 'earliest' }, dryRun: false };
    const [status, { error }] = await call<ErrorBody>('POST', '/api/v1/groups/busy/offsets', body);
    assert.deepEqual([status, error.code], [409, 'conflict']);
    assert.equal((await call('DELETE', '/api/v1/groups/busy'))[0], 409);
    await consumer.disconnect();
  });
});

describe('admin API: the broker', () => {
  it('tells identity, state, listeners, connections, limits and configuration', async () => {
    const admin = kafkaOf(broker).admin();
    await admin.connect();
    const [, info] = await call<{ clusterId: string; storage: { kind: string } }>(
      'GET',
      '/api/v1/broker',
    );
    assert.equal(info.clusterId.length, 22);
    assert.equal(info.storage.kind, 'memory');
    const [, status] = await call<{ ready: boolean; connections: number }>('GET', '/api/v1/status');
    assert.deepEqual([status.ready, status.connections], [true, 1]);
    const [, { connections }] = await call<{ connections: { id: number; listener: string }[] }>(
      'GET',
      '/api/v1/connections',
    );
    assert.equal(connections[0]?.listener, 'kafka');
    const id = connections[0]?.id ?? 0;
    assert.equal((await call('DELETE', `/api/v1/connections/${id}`))[0], 204);
    assert.equal((await call('DELETE', '/api/v1/connections/99999'))[0], 404);
    const [, { limits }] = await call<{ limits: LimitInfo[] }>('GET', '/api/v1/limits');
    assert.ok(limits.every(({ overflow }) => overflow.length > 0));
    assert.ok(limits.some(({ name }) => name === 'topics.max'));
    assert.equal((await call('GET', '/api/v1/config'))[0], 200);
    await admin.disconnect();
  });

  it('serves probes and metrics', async () => {
    await produce(kafkaOf(broker), 'metered', numbered('m', 3));
    await consume(kafkaOf(broker), { topic: 'metered', group: 'metered', count: 3 });
    for (const path of ['/livez', '/readyz', '/healthz']) {
      assert.equal((await fetch(base + path)).status, 200, path);
    }
    const response = await fetch(`${base}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of [
      /^lyrebird_connections\{listener="kafka"\} \d+$/m,
      /^lyrebird_network_received_bytes_total\{listener="kafka"\} [1-9]\d*$/m,
      /^lyrebird_topics 1$/m,
      /^lyrebird_storage_appends_total [1-9]\d*$/m,
      /^lyrebird_build_info\{version="[^"]+"/m,
      /^process_resident_memory_bytes [1-9]\d*$/m,
      /^nodejs_eventloop_lag_p99_seconds /m,
      /^kafka_brokers 1$/m,
      /^kafka_topic_partitions\{topic="metered"\} 1$/m,
      /^kafka_topic_partition_current_offset\{topic="metered",partition="0"\} 3$/m,
      /^kafka_consumergroup_lag\{consumergroup="metered",topic="metered",partition="0"\} 0$/m,
      /^kafka_server_brokertopicmetrics_messagesin_total\{topic="metered"\} 3$/m,
    ]) {
      assert.match(text, line);
    }
  });

  it('keeps web pages out', async () => {
    const json = { 'content-type': 'application/json' };
    assert.equal(await rawStatus('/livez', { host: 'localhost:1' }), 200);
    assert.equal(await rawStatus('/livez', { host: '[::1]:1' }), 200);
    assert.equal(await rawStatus('/livez', { host: 'evil.example' }), 403);
    assert.equal(await rawStatus('/metrics', { 'sec-fetch-site': 'cross-site' }), 403);
    const post = { method: 'POST', body: '{"name":"x"}' };
    assert.equal(await rawStatus('/api/v1/topics', { 'content-type': 'text/plain' }, post), 400);
    assert.equal(await rawStatus('/api/v1/topics', {}, post), 400);
    assert.equal(await rawStatus('/api/v1/topics', json, { method: 'POST', body: '{' }), 400);
    assert.equal(await rawStatus('/api/v1/topics', json, post), 201);
  });
});
