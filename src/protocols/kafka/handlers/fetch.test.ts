import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeBatch } from '../../../../test/support/kafka-batches.ts';
import {
  createTopic,
  fetchRequest,
  partitionsOf,
  produce,
  valuesOf,
} from '../../../../test/support/kafka-calls.ts';
import { openTestBroker } from '../../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../../test/support/kafka-test-broker.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import type { FetchRequest, FetchResponse } from '../codec/generated/fetch.ts';
import { KAFKA_ERROR } from '../errors.ts';

const LONG_MS = 30_000;

describe('Fetch', () => {
  let tested: TestBroker;
  let client: TestClient;

  const fetch = (version: number, request: FetchRequest): Promise<FetchResponse> =>
    client.call(API_CODECS.Fetch, version, request);
  const put = async (topic: string, ...values: string[]): Promise<number> => {
    const answer = await produce(client, 9, { topic, partition: 0, records: makeBatch(values) });
    assert.equal(answer.errorCode, KAFKA_ERROR.NONE);
    return answer.baseOffset;
  };

  before(async () => {
    tested = await openTestBroker();
    client = tested.connect();
    await createTopic(client, 'orders', 1);
    await put('orders', 'a', 'b', 'c');
    await put('orders', 'd');
  });

  after(() => tested.close());

  it('returns records in every served version', async () => {
    const topicId = tested.broker.topics.byName('default', 'orders')?.id;
    assert.ok(topicId !== undefined);
    for (let version = 4; version <= 18; version++) {
      const response = await fetch(
        version,
        fetchRequest([{ topic: 'orders', topicId, offset: 0 }]),
      );
      const [partition] = partitionsOf(response);
      assert.equal(partition?.errorCode, KAFKA_ERROR.NONE, `version ${version}`);
      assert.deepEqual(valuesOf(partition?.records ?? null), ['a', 'b', 'c', 'd']);
      assert.equal(partition?.highWatermark, 4);
      assert.equal(response.sessionId, 0);
    }
  });

  it('returns the whole batch that holds the offset', async () => {
    const [partition] = partitionsOf(
      await fetch(11, fetchRequest([{ topic: 'orders', offset: 2 }])),
    );
    assert.deepEqual(valuesOf(partition?.records ?? null), ['a', 'b', 'c', 'd']);
  });

  it('returns at least one batch, and not more than fits otherwise', async () => {
    const response = await fetch(
      11,
      fetchRequest([{ topic: 'orders', offset: 0, maxBytes: 1 }], { maxBytes: 1 }),
    );
    assert.deepEqual(valuesOf(partitionsOf(response)[0]?.records ?? null), ['a', 'b', 'c']);
  });

  it('gives the second partition nothing when the first filled the response', async () => {
    await createTopic(client, 'second', 1);
    await put('second', 'z');
    const calls = [
      { topic: 'orders', offset: 0 },
      { topic: 'second', offset: 0 },
    ];
    const response = await fetch(11, fetchRequest(calls, { maxBytes: 1 }));
    const [first, second] = partitionsOf(response);
    assert.ok((first?.records?.bytes ?? 0) > 0);
    assert.equal(second?.records?.bytes, 0);
    assert.equal(second?.highWatermark, 1);
  });

  it('answers nothing at the end, and out of range beyond it', async () => {
    const [end] = partitionsOf(await fetch(11, fetchRequest([{ topic: 'orders', offset: 4 }])));
    assert.deepEqual([end?.errorCode, end?.records?.bytes], [KAFKA_ERROR.NONE, 0]);
    for (const offset of [5, -1]) {
      const [beyond] = partitionsOf(await fetch(11, fetchRequest([{ topic: 'orders', offset }])));
      assert.equal(beyond?.errorCode, KAFKA_ERROR.OFFSET_OUT_OF_RANGE);
      assert.equal(beyond?.logStartOffset, 0);
    }
  });

  it('tells unknown topics, partitions and ids apart', async () => {
    const unknown = await fetch(11, fetchRequest([{ topic: 'none', offset: 0 }]));
    assert.equal(partitionsOf(unknown)[0]?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const partition = await fetch(11, fetchRequest([{ topic: 'orders', partition: 9, offset: 0 }]));
    assert.equal(partitionsOf(partition)[0]?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const id = await fetch(
      13,
      fetchRequest([{ topic: '', topicId: Buffer.alloc(16, 7), offset: 0 }]),
    );
    assert.equal(partitionsOf(id)[0]?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_ID);
  });

  it('checks the leader epoch that the client knows', async () => {
    const epoch = tested.broker.topics.byName('default', 'orders')?.partition(0)?.leaderEpoch ?? 0;
    const older = await fetch(
      12,
      fetchRequest([{ topic: 'orders', offset: 0, currentLeaderEpoch: epoch - 1 }]),
    );
    const newer = await fetch(
      12,
      fetchRequest([{ topic: 'orders', offset: 0, currentLeaderEpoch: epoch + 1 }]),
    );
    assert.equal(partitionsOf(older)[0]?.errorCode, KAFKA_ERROR.FENCED_LEADER_EPOCH);
    assert.equal(partitionsOf(older)[0]?.currentLeader.leaderEpoch, epoch);
    assert.equal(partitionsOf(newer)[0]?.errorCode, KAFKA_ERROR.UNKNOWN_LEADER_EPOCH);
  });

  it('waits for data and answers when it is committed', async () => {
    await createTopic(client, 'awaited', 1);
    const reader = tested.connect();
    const waiting = reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'awaited', offset: 0 }], { maxWaitMs: LONG_MS }),
    );
    assert.equal(tested.frontend.services.metrics.parkedFetches, 1);
    await put('awaited', 'now');
    const [partition] = partitionsOf(await waiting);
    assert.deepEqual(valuesOf(partition?.records ?? null), ['now']);
    assert.equal(tested.frontend.services.metrics.parkedFetches, 0);
  });

  it('waits for the minimum of bytes', async () => {
    await createTopic(client, 'minimum', 1);
    const one = makeBatch(['x']).length;
    const reader = tested.connect();
    const waiting = reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'minimum', offset: 0 }], { maxWaitMs: LONG_MS, minBytes: one + 1 }),
    );
    await put('minimum', 'x');
    assert.equal(reader.order.length, 0);
    await put('minimum', 'y');
    assert.deepEqual(valuesOf(partitionsOf(await waiting)[0]?.records ?? null), ['x', 'y']);
  });

  it('answers with nothing when the time is over', async () => {
    const response = await fetch(
      11,
      fetchRequest([{ topic: 'orders', offset: 4 }], { maxWaitMs: 1 }),
    );
    assert.equal(partitionsOf(response)[0]?.records?.bytes, 0);
  });

  it('answers a waiting fetch when its topic is deleted', async () => {
    await createTopic(client, 'doomed', 1);
    const reader = tested.connect();
    const waiting = reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'doomed', offset: 0 }], { maxWaitMs: LONG_MS }),
    );
    await tested.broker.topics.delete('default', 'doomed');
    const [partition] = partitionsOf(await waiting);
    assert.equal(partition?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('lets go of a waiting fetch when its connection ends', async () => {
    const reader = tested.connect();
    reader.send(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'orders', offset: 4 }], { maxWaitMs: LONG_MS }),
    );
    assert.equal(tested.frontend.services.metrics.parkedFetches, 1);
    reader.disconnect();
    assert.equal(tested.frontend.services.metrics.parkedFetches, 0);
  });

  it('answers a waiting fetch when the broker stops', async () => {
    const reader = tested.connect();
    const waiting = reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'orders', offset: 4 }], { maxWaitMs: LONG_MS }),
    );
    reader.handler.onShutdown();
    assert.equal(partitionsOf(await waiting)[0]?.errorCode, KAFKA_ERROR.NONE);
    assert.equal(reader.handler.busy?.(), false);
  });

  it('holds a fetch back while the peer does not read', async () => {
    const reader = tested.connect();
    reader.connection.congested = false;
    const waiting = reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'orders', offset: 4 }], { maxWaitMs: LONG_MS }),
    );
    reader.connection.congested = true;
    await put('orders', 'e');
    assert.equal(reader.order.length, 0);
    reader.connection.congested = false;
    reader.handler.onDrain();
    assert.deepEqual(valuesOf(partitionsOf(await waiting)[0]?.records ?? null), ['e']);
  });
});

describe('Fetch sessions', () => {
  let tested: TestBroker;
  let client: TestClient;
  const names = ['s0', 's1', 's2'];

  const fetch = (request: FetchRequest, version = 11): Promise<FetchResponse> =>
    client.call(API_CODECS.Fetch, version, request);
  const topicsOf = (response: FetchResponse): string[] =>
    response.responses.map((topic) => topic.topic);
  const open = (): Promise<FetchResponse> =>
    fetch(
      fetchRequest(
        names.map((topic) => ({ topic, offset: 0 })),
        { sessionEpoch: 0 },
      ),
    );

  before(async () => {
    tested = await openTestBroker({ fetchSessionSlots: 2 });
    client = tested.connect();
    for (const name of names) await createTopic(client, name, 1);
  });

  after(() => tested.close());

  it('opens a session, then tells only what changed', async () => {
    const opened = await open();
    assert.notEqual(opened.sessionId, 0);
    assert.deepEqual(topicsOf(opened), names);
    const session = { sessionId: opened.sessionId };
    assert.deepEqual(topicsOf(await fetch(fetchRequest([], { ...session, sessionEpoch: 1 }))), []);
    await produce(client, 9, { topic: 's1', partition: 0, records: makeBatch(['x']) });
    const news = await fetch(fetchRequest([], { ...session, sessionEpoch: 2 }));
    assert.deepEqual(topicsOf(news), ['s1']);
    const moved = fetchRequest([{ topic: 's1', offset: 1 }], { ...session, sessionEpoch: 3 });
    assert.deepEqual(topicsOf(await fetch(moved)), []);
    const forgetting = fetchRequest([], {
      ...session,
      sessionEpoch: 4,
      forgottenTopicsData: [{ topic: 's1', topicId: Buffer.alloc(16), partitions: [0] }],
    });
    assert.deepEqual(topicsOf(await fetch(forgetting)), []);
    await produce(client, 9, { topic: 's1', partition: 0, records: makeBatch(['y']) });
    assert.deepEqual(topicsOf(await fetch(fetchRequest([], { ...session, sessionEpoch: 5 }))), []);
    await fetch(fetchRequest([], { ...session, sessionEpoch: -1 }));
  });

  it('serves first who had nothing last time', async () => {
    const opened = await open();
    for (const topic of names) {
      await produce(client, 9, { topic, partition: 0, records: makeBatch(['more']) });
    }
    const servedOf = (response: FetchResponse): string | undefined =>
      response.responses.find((topic) => (topic.partitions[0]?.records?.bytes ?? 0) > 0)?.topic;
    const session = { sessionId: opened.sessionId, maxBytes: 1 };
    const served: (string | undefined)[] = [];
    for (const sessionEpoch of [1, 2, 3]) {
      served.push(servedOf(await fetch(fetchRequest([], { ...session, sessionEpoch }))));
    }
    assert.deepEqual([...served].sort(), names);
    await fetch(fetchRequest([], { ...session, sessionEpoch: -1 }));
  });

  it('refuses unknown sessions, wrong epochs and a change of naming', async () => {
    const unknown = await fetch(fetchRequest([], { sessionId: 77, sessionEpoch: 1 }));
    assert.equal(unknown.errorCode, KAFKA_ERROR.FETCH_SESSION_ID_NOT_FOUND);
    const { sessionId } = await open();
    const wrong = await fetch(fetchRequest([], { sessionId, sessionEpoch: 5 }));
    assert.equal(wrong.errorCode, KAFKA_ERROR.INVALID_FETCH_SESSION_EPOCH);
    const byId = await fetch(fetchRequest([], { sessionId, sessionEpoch: 1 }), 13);
    assert.equal(byId.errorCode, KAFKA_ERROR.FETCH_SESSION_TOPIC_ID_ERROR);
    await fetch(fetchRequest([], { sessionId, sessionEpoch: -1 }));
    const closed = await fetch(fetchRequest([], { sessionId, sessionEpoch: 1 }));
    assert.equal(closed.errorCode, KAFKA_ERROR.FETCH_SESSION_ID_NOT_FOUND);
  });

  it('goes on without a session when none is free', async () => {
    const opened = [await open(), await open(), await open()];
    assert.deepEqual(
      opened.map((response) => response.sessionId !== 0),
      [true, true, false],
    );
    for (const { sessionId } of opened) {
      await fetch(fetchRequest([], { sessionId, sessionEpoch: -1 }));
    }
    assert.equal(tested.frontend.services.fetchSessions.size, 0);
  });
});
