import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  frames,
  ScriptedAmqpBroker,
  type Script,
  type ScriptedSession,
} from '../../../../test/support/scripted-amqp-broker.ts';
import { LyrebirdError } from '../../../base/errors.ts';
import { DeliverPrefix, OutgoingContent, writeDelivery } from '../codec/content-writer.ts';
import { METHODS } from '../codec/generated/methods.ts';
import { AmqpClient, type AmqpClientSettings } from './index.ts';
import { basicProperties } from './properties.ts';
import { propertySection } from './publish-frame.ts';
import type { Outcome } from './publisher.ts';

const open: { close(): Promise<void> }[] = [];
after(async () => {
  for (const resource of open.reverse()) await resource.close();
});

async function start(script?: Script, settings: Partial<AmqpClientSettings> = {}) {
  const broker = await ScriptedAmqpBroker.listen(script);
  const client = new AmqpClient({
    bootstrap: [{ host: '127.0.0.1', port: broker.port }],
    clientId: 'test',
    tls: null,
    timeoutMs: 60_000,
    ...settings,
  });
  open.push(broker, client);
  return { broker, client };
}

const named = (name: string) => (error: unknown) =>
  (error as LyrebirdError).details['name'] === name;

const text = (value: string) => ({ key: null, value: Buffer.from(value) });

function deliver(session: ScriptedSession, tag: number, body: string): Buffer {
  const content = new OutgoingContent();
  content.routing = Buffer.from('\x02ex\x03key', 'latin1');
  content.routingEnd = content.routing.length;
  const properties = { 'content-type': 'text/plain', priority: '3' };
  const headers = [{ name: 'h', value: Buffer.from('1') }];
  content.section = propertySection(basicProperties(properties, headers));
  content.sectionEnd = content.section.length;
  content.body = Buffer.from(body);
  content.bodyEnd = content.body.length;
  const channel = session.seen.findLast(({ name }) => name === 'basic.consume')?.channel ?? 0;
  return frames((output) =>
    writeDelivery(output, new DeliverPrefix(channel, 'c'), tag, false, content),
  );
}

describe('connecting', () => {
  test('logs in, agrees on limits, opens the virtual host, says goodbye', async () => {
    const credentials = { user: 'al', password: 'secret' };
    const { broker, client } = await start(undefined, { credentials, virtualHost: 'eu' });
    await client.connect();
    await client.close();
    const { seen } = broker.session(0);
    assert.deepEqual(
      seen.map(({ name }) => name),
      [
        'protocol-header',
        'connection.start-ok',
        'connection.tune-ok',
        'connection.open',
        'connection.close',
      ],
    );
    assert.equal(seen[1]?.arguments['mechanism'], 'PLAIN');
    assert.deepEqual(seen[1]?.arguments['response'], Buffer.from('\0al\0secret'));
    assert.deepEqual(seen[2]?.arguments, { channelMax: 10, frameMax: 4096, heartbeatSeconds: 30 });
    assert.equal(seen[3]?.arguments['virtualHost'], 'eu');
  });

  test('a refused login is told without the password, however the broker refuses', async () => {
    const close = { replyCode: 403, replyText: 'ACCESS_REFUSED - no', classId: 10, methodId: 11 };
    const scripts: Script[] = [
      (session, { name }) => {
        if (name !== 'connection.start-ok') return false;
        session.send(METHODS.ConnectionClose, 0, close);
        return true;
      },
      (session, { name }) => {
        if (name === 'connection.start-ok') session.socket.destroy();
        return name === 'connection.start-ok';
      },
    ];
    for (const script of scripts) {
      const credentials = { user: 'al', password: 'secret' };
      const { client } = await start(script, { credentials });
      const error = await client.connect().catch((reason: unknown) => reason as LyrebirdError);
      assert.ok(error instanceof LyrebirdError);
      assert.equal(error.code, 'LB6003');
      assert.match(error.message, /^login as al to 127\.0\.0\.1:\d+: ACCESS_REFUSED/);
      assert.doesNotMatch(error.message, /secret/);
    }
  });

  test('what is no broker of AMQP is called so', async () => {
    for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', 'AMQP\0\0\x09\x01']) {
      const { client } = await start((session) => session.socket.write(answer));
      await assert.rejects(client.connect(), /does not speak AMQP 0-9-1/);
    }
  });

  test('a broker that does not answer is LB6002, one that is not there LB6001', async () => {
    const { client } = await start(() => true, { timeoutMs: 1 });
    await assert.rejects(client.connect(), { code: 'LB6002' });
    const gone = await ScriptedAmqpBroker.listen();
    const bootstrap = [{ host: '127.0.0.1', port: gone.port }];
    await gone.close();
    await assert.rejects((await start(undefined, { bootstrap })).client.connect(), {
      code: 'LB6001',
    });
  });
});

describe('publishing', () => {
  async function publisher(script?: Script, topic = 'jobs', more = {}) {
    const { broker, client } = await start(script);
    const outcomes: Outcome[] = [];
    const settings = { topic, ...more };
    const opened = await client.producer(settings, (outcome) => outcomes.push(outcome));
    const channel =
      broker.session(0).seen.findLast(({ name }) => name === 'channel.open')?.channel ?? 0;
    return { broker, client, outcomes, publisher: opened, channel, session: broker.session(0) };
  }

  test('outcomes come in order, by groups, whatever the order of confirms', async () => {
    const { publisher: jobs, outcomes, session, channel } = await publisher();
    for (let token = 0; token < 6; token++) jobs.append(text(`m${token}`), 0, token);
    await session.until('basic.publish', 6);
    assert.deepEqual(session.bodies, ['m0', 'm1', 'm2', 'm3', 'm4', 'm5']);
    session.send(METHODS.BasicAck, channel, { deliveryTag: 3, multiple: false });
    session.send(METHODS.BasicNack, channel, { deliveryTag: 2, multiple: false, requeue: false });
    session.send(METHODS.BasicAck, channel, { deliveryTag: 1, multiple: false });
    session.send(METHODS.BasicAck, channel, { deliveryTag: 6, multiple: true });
    await jobs.flush();
    assert.deepEqual(
      outcomes.map(({ tokens, error }) => [...tokens, error === null]),
      [
        [0, true],
        [1, false],
        [2, true],
        [3, 4, 5, true],
      ],
    );
    assert.ok(named('NACKED')(outcomes[1]?.error));
    const publish = session.seen.find(({ name }) => name === 'basic.publish');
    const { exchange, routingKey, mandatory } = publish?.arguments ?? {};
    assert.deepEqual([exchange, routingKey, mandatory], ['', 'jobs', true]);
  });

  test('a returned message fails, the others of its group do not', async () => {
    const script: Script = (session, { name, channel }) => {
      if (name !== 'basic.publish') return;
      if (session.seen.filter((method) => method.name === name).length < 3) return;
      const returned = { replyCode: 312, replyText: 'NO_ROUTE', exchange: 'logs' };
      session.send(METHODS.BasicReturn, channel, { ...returned, routingKey: 'b' });
      session.socket.write(
        frames((output) => {
          output.beginFrame(2, channel);
          output.long(60 << 16);
          output.longlong(0);
          output.short(0);
          output.endFrame();
        }),
      );
      session.send(METHODS.BasicAck, channel, { deliveryTag: 3, multiple: true });
    };
    const { publisher: logs, outcomes } = await publisher(script, 'logs/a', { mandatory: true });
    for (const [token, key] of ['a', 'b', 'c'].entries()) {
      logs.append({ key: Buffer.from(key), value: null }, 0, token);
    }
    await logs.flush();
    assert.deepEqual(
      outcomes.map(({ tokens, error }) => [...tokens, error?.message ?? null]),
      [
        [0, null],
        [1, "exchange logs, routing key 'b': NO_ROUTE: no queue took the message"],
        [2, null],
      ],
    );
  });

  test('a channel that the broker closes fails what is open and what comes', async () => {
    const script: Script = (session, { name, channel }) => {
      if (name !== 'basic.publish') return;
      const replyText = "NOT_FOUND - no exchange 'logs'";
      const close = { replyCode: 404, replyText, classId: 60, methodId: 40 };
      session.send(METHODS.ChannelClose, channel, close);
    };
    const { publisher: logs, outcomes } = await publisher(script, 'logs/');
    logs.append(text('one'), 0, 1);
    await logs.flush();
    logs.append(text('two'), 0, 2);
    assert.deepEqual(
      outcomes.map(({ tokens, error }) => [...tokens, named('NOT_FOUND')(error)]),
      [
        [1, true],
        [2, true],
      ],
    );
  });

  test('a queue that is not there is an error before anything is published', async () => {
    const script: Script = (session, { name, channel }) => {
      if (name !== 'queue.declare') return false;
      const close = { replyCode: 404, replyText: 'NOT_FOUND - no', classId: 50, methodId: 10 };
      session.send(METHODS.ChannelClose, channel, close);
      return true;
    };
    await assert.rejects(publisher(script), named('NOT_FOUND'));
  });

  test('after an outage what was not confirmed is sent again', async () => {
    const outages: string[] = [];
    const script: Script = (session, { name, channel }) => {
      if (name !== 'basic.publish') return;
      const count = session.seen.filter((method) => method.name === name).length;
      if (session.number === 0 && count === 3) {
        session.socket.write(
          frames((output) =>
            METHODS.BasicAck.write(output, channel, { deliveryTag: 1, multiple: false }),
          ),
          () => session.socket.destroy(),
        );
      }
      if (session.number === 1 && count === 2) {
        session.send(METHODS.BasicAck, channel, { deliveryTag: 2, multiple: true });
      }
    };
    const more = { retryMs: 60_000, onOutage: (error: Error) => outages.push(error.message) };
    const { publisher: jobs, outcomes, broker } = await publisher(script, 'jobs', more);
    for (let token = 0; token < 3; token++) jobs.append(text(`m${token}`), 0, token);
    await jobs.flush();
    assert.deepEqual(
      outcomes.flatMap(({ tokens, error }) => (error === null ? tokens : [])),
      [0, 1, 2],
    );
    assert.deepEqual(broker.session(1).bodies, ['m1', 'm2']);
    assert.equal(outages.length, 1);
  });

  test('a broker that blocks publishers is waited for', async () => {
    const told: (string | null)[] = [];
    const more = { onBlocked: (reason: string | null) => told.push(reason) };
    const { publisher: jobs, session } = await publisher(undefined, 'jobs', more);
    assert.equal(jobs.hasRoom, true);
    session.send(METHODS.ConnectionBlocked, 0, { reason: 'low on memory' });
    session.send(METHODS.ConnectionUnblocked, 0, {});
    while (told.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await jobs.room();
    assert.deepEqual(told, ['low on memory', null]);
  });
});

describe('subscribing', () => {
  test('messages arrive however they are cut, and are acknowledged when they were seen', async () => {
    const { broker, client } = await start();
    const subscriber = await client.consumer({ topics: ['jobs'], from: null, prefetch: 5 });
    const session = broker.session(0);
    const large = 'x'.repeat(10_000); // three frames
    const bytes = Buffer.concat([
      deliver(session, 1, 'one'),
      deliver(session, 2, ''),
      deliver(session, 3, large),
      deliver(session, 4, 'unseen'),
    ]);
    session.socket.setNoDelay(true);
    for (let at = 0; at < bytes.length; at += at < 300 ? 1 : 997) {
      const end = at + (at < 300 ? 1 : 997);
      await new Promise((resolve) => session.socket.write(bytes.subarray(at, end), resolve));
    }
    const values: string[] = [];
    while (values.length < 3) {
      for (const data of await subscriber.poll()) {
        assert.deepEqual([data.topic, data.partition], ['jobs', -1]);
        data.forEachRecord((message) => {
          if (values.length === 3) return false;
          values.push(message.value.toString());
          assert.equal(message.key.toString(), 'key');
          assert.deepEqual(message.headers, [{ name: 'h', value: Buffer.from('1') }]);
          assert.deepEqual(message.properties, {
            exchange: 'ex',
            redelivered: false,
            'content-type': 'text/plain',
            priority: 3,
          });
          return true;
        });
      }
    }
    assert.deepEqual(values, ['one', '', large]);
    await subscriber.close();
    const acks = session.seen.filter(({ name }) => name === 'basic.ack');
    assert.equal(acks.at(-1)?.arguments['deliveryTag'], 3);
    assert.ok(acks.every(({ arguments: { multiple } }) => multiple === true));
    const qos = session.seen.find(({ name }) => name === 'basic.qos');
    assert.equal(qos?.arguments['prefetchCount'], 5);
  });

  test('of an exchange a queue of its own is read', async () => {
    const { broker, client } = await start();
    await client.consumer({ topics: ['logs/a.#'], from: null });
    const { seen } = broker.session(0);
    const declare = seen.find(({ name }) => name === 'queue.declare')?.arguments ?? {};
    assert.deepEqual([declare['queue'], declare['exclusive']], ['', true]);
    const bind = seen.find(({ name }) => name === 'queue.bind')?.arguments ?? {};
    assert.deepEqual(
      [bind['queue'], bind['exchange'], bind['routingKey']],
      ['declared', 'logs', 'a.#'],
    );
  });

  test('a queue that is deleted ends it', async () => {
    const { broker, client } = await start();
    const subscriber = await client.consumer({ topics: ['jobs'], from: null });
    const session = broker.session(0);
    const channel = session.seen.findLast(({ name }) => name === 'basic.consume')?.channel ?? 0;
    session.send(METHODS.BasicCancel, channel, { consumerTag: 'c', noWait: true });
    await assert.rejects(subscriber.poll(), named('NOT_FOUND'));
  });

  test('after an outage it reads on', async () => {
    const { broker, client } = await start();
    const subscriber = await client.consumer({ topics: ['jobs'], from: null });
    broker.session(0).socket.destroy();
    await assert.rejects(subscriber.poll(), { code: 'LB6001' });
    await subscriber.resume();
    const session = broker.session(1);
    session.socket.write(deliver(session, 1, 'again'));
    const [data] = await subscriber.poll();
    assert.equal(data?.recordCount, 1);
  });

  test('bytes that are no frames end the connection with the reason told to the broker', async () => {
    const { broker, client } = await start();
    const subscriber = await client.consumer({ topics: ['jobs'], from: null });
    const session = broker.session(0);
    session.socket.write(Buffer.from([FRAME_TYPE_NONE, 0, 0, 0, 0, 0, 1, 7, 0xce]));
    await assert.rejects(subscriber.poll(), { code: 'LB5002' });
    await session.until('connection.close');
    assert.equal(session.seen.at(-1)?.arguments['replyCode'], 505);
  });
});

const FRAME_TYPE_NONE = 9;
