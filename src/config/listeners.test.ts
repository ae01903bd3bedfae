import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameListeners, parseListenerUrl } from './listeners.ts';

function parsed(url: string) {
  const result = parseListenerUrl(url);
  assert.ok(typeof result !== 'string');
  return result;
}

test('an address has a scheme, a host and a port', () => {
  assert.deepEqual(parsed('kafka://127.0.0.1:9092'), {
    name: null,
    scheme: 'kafka',
    transport: 'tcp',
    host: '127.0.0.1',
    port: 9092,
    tls: null,
  });
  assert.equal(parsed('kafka://').host, '127.0.0.1');
  assert.equal(parsed('kafka://').port, null);
  assert.equal(parsed('kafka://*:0').host, '0.0.0.0');
  assert.deepEqual(parsed('kafka://[::1]:9092').host, '::1');
  assert.equal(parsed('Admin://localhost:80/').scheme, 'admin');
});

test('a TLS address names its files', () => {
  const listener = parsed(
    'kafka+tls://*:9093?name=public&cert=/c.pem&key=/k.pem&client_ca=/ca.pem',
  );
  assert.equal(listener.transport, 'tls');
  assert.equal(listener.name, 'public');
  assert.deepEqual(listener.tls, { cert: '/c.pem', key: '/k.pem', clientCa: '/ca.pem' });
});

test('what is wrong with an address is said', () => {
  for (const [url, expected] of [
    ['127.0.0.1:9092', /expected an address/],
    ['kafka+udp://x:1', /\+udp is not a transport/],
    ['kafka://x:70000', /port 70000/],
    ['kafka://x:1?prot=2', /unknown parameter prot/],
    ['kafka+tls://x:1', /needs cert and key/],
    ['kafka://x:1?cert=a', /neither \+tls nor \+wss/],
  ] as const) {
    const result = parseListenerUrl(url);
    assert.ok(typeof result === 'string');
    assert.match(result, expected);
  }
});

test('listeners get distinct names', () => {
  const listeners = ['kafka://:1', 'kafka://:2', 'kafka://:3?name=kafka-2', 'admin://:4'].map(
    parsed,
  );
  const named = nameListeners(listeners);
  assert.ok(typeof named !== 'string');
  assert.deepEqual(
    named.map((listener) => listener.name),
    ['kafka', 'kafka-3', 'kafka-2', 'admin'],
  );
  const clash = nameListeners([parsed('a://:1?name=x'), parsed('b://:1?name=x')]);
  assert.equal(clash, 'two listeners are named x');
});
