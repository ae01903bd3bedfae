import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBrokers, parseDestination, refuseFlags } from './destination.ts';

const nowhere = {
  tls: false,
  host: null,
  port: null,
  user: null,
  password: null,
  virtualHost: null,
};

describe('destinations', () => {
  test('Kafka: a topic, a short URL, a long URL', () => {
    const kafka = { ...nowhere, scheme: 'kafka' };
    assert.deepEqual(parseDestination('orders'), { ...kafka, name: 'orders' });
    assert.deepEqual(parseDestination('kafka://orders'), { ...kafka, name: 'orders' });
    const long = { ...kafka, host: 'h', port: 1, name: 'a/b' };
    assert.deepEqual(parseDestination('kafka://h:1/a%2Fb'), long);
    const tls = { ...kafka, tls: true, host: '::1', name: 't' };
    assert.deepEqual(parseDestination('kafka+tls://[::1]/t'), tls);
    assert.throws(() => parseDestination('kafka://h:1/'), /names no topic/);
    assert.throws(() => parseDestination('kafka://h/%'), /is written %25/);
    assert.throws(() => parseDestination('1://x'), /is not a destination/);
  });

  test('AMQP: a queue, an exchange with a key, a virtual host, a login', () => {
    const amqp = { ...nowhere, scheme: 'amqp' };
    assert.deepEqual(parseDestination('amqp://jobs'), { ...amqp, name: 'jobs' });
    assert.deepEqual(parseDestination('amqp:///jobs'), { ...amqp, name: 'jobs' });
    const host = { ...amqp, host: 'h', port: 5673 };
    assert.deepEqual(parseDestination('amqp://h:5673/jobs'), { ...host, name: 'jobs' });
    assert.deepEqual(parseDestination('amqp:///logs/a.#'), { ...amqp, name: 'logs/a.#' });
    assert.equal(parseDestination('amqp://h/logs/').name, 'logs/');
    assert.equal(parseDestination('amqp://h/a%2Fb/c').name, 'a%2Fb/c', 'slashes stay escaped');
    assert.deepEqual(parseDestination('amqps://al:p%40ss:w@h:5673/jobs?vhost=%2Feu'), {
      ...host,
      tls: true,
      name: 'jobs',
      user: 'al',
      password: 'p@ss:w',
      virtualHost: '/eu',
    });
    assert.equal(parseDestination('amqp+tls://al@/jobs').user, 'al');
    assert.equal(parseDestination('amqp://al@h/jobs').password, null);
  });

  test('AMQP: what is wrong is said without the password', () => {
    const message = (text: string): string => {
      try {
        parseDestination(text);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    assert.match(message('amqp://al:secret@h/'), /names no queue/);
    assert.match(message('amqp://h/q?heartbeat=1'), /heartbeat: not known/);
    assert.match(message('amqp://al:secret@h/%zz'), /is written %25/);
    assert.match(message('1://al:secret@h/q'), /is not a destination/);
    for (const text of ['amqp://al:secret@h/', 'amqp://al:secret@h/%zz', '1://al:secret@h/q']) {
      assert.doesNotMatch(message(text), /secret/);
    }
  });
});

test('brokers: an entry with a scheme is that one', () => {
  const given = { isStored: false };
  const stored = { isStored: true };
  assert.deepEqual(parseBrokers('a:1,b', 'kafka', stored), [
    { host: 'a', port: 1 },
    { host: 'b', port: null },
  ]);
  assert.deepEqual(parseBrokers('a:1', 'amqp', given), [{ host: 'a', port: 1 }]);
  assert.deepEqual(parseBrokers('a:9092', 'amqp', stored), [{ host: 'a', port: null }]);
  const both = 'kafka://a:1,amqp://b:2';
  assert.deepEqual(parseBrokers(both, 'amqp', stored), [{ host: 'b', port: 2 }]);
  assert.deepEqual(parseBrokers(both, 'kafka', given), [{ host: 'a', port: 1 }]);
  assert.throws(() => parseBrokers('a:b', 'kafka', given), /is not host:port/);
});

test('a flag that means nothing is refused', () => {
  const destination = parseDestination('amqp://jobs');
  assert.doesNotThrow(() => refuseFlags(destination, { '--group': undefined, '--x': false }));
  assert.throws(() => refuseFlags(destination, { '--group': 'g' }), /--group does not go with/);
});
