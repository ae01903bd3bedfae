import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../test/support/core-harness.ts';
import { isLoopbackAddress } from './loopback.ts';
import type { Logins } from './logins.ts';

const LOCAL = { protocol: 'amqp', address: '127.0.0.1' };
const REMOTE = { protocol: 'amqp', address: '10.0.0.7' };

let harness: CoreHarness;
let logins: Logins;

beforeEach(async () => {
  harness = await CoreHarness.open();
  const { security } = harness.broker;
  ({ logins } = security);
  await security.users.put('alice', { password: { kind: 'text', text: 'secret' } });
  await security.users.put('cert', { password: { kind: 'none' } });
});

afterEach(() => harness.close());

describe('Logins', () => {
  it('lets in who knows the password', () => {
    const outcome = logins.checkPassword('alice', 'secret', REMOTE);
    assert(outcome.status === 'ok');
    assert.deepEqual(outcome.principal, { type: 'User', name: 'alice' });
    for (const [name, password] of [
      ['alice', 'Secret'],
      ['alice', ''],
      ['cert', ''],
      ['cert', 'nobody'],
      ['nobody', 'nobody'],
    ] as const) {
      assert.equal(logins.checkPassword(name, password, LOCAL).status, 'refused', name);
    }
  });

  it('lets guest in from this machine only', () => {
    assert.equal(logins.checkPassword('guest', 'guest', LOCAL).status, 'ok');
    const outcome = logins.checkPassword('guest', 'guest', REMOTE);
    assert(outcome.status === 'refused');
    assert.equal(outcome.reason, "user 'guest' can only connect via localhost");
  });

  it('holds answers to guesses back, then refuses the address for a while', () => {
    const delays: number[] = [];
    for (let i = 0; i < 100; i++) {
      const outcome = logins.checkPassword('alice', `guess ${i}`, REMOTE);
      assert(outcome.status === 'refused');
      delays.push(outcome.delayMs);
    }
    assert.deepEqual(delays.slice(0, 5), [0, 0, 0, 250, 500]);
    assert.equal(delays.at(-1), 3000);
    assert.equal(logins.checkPassword('alice', 'secret', REMOTE).status, 'refused');
    assert.equal(logins.checkPassword('alice', 'secret', LOCAL).status, 'ok');
    harness.clock.advance(61_000);
    assert.equal(logins.checkPassword('alice', 'secret', REMOTE).status, 'ok');
  });

  it('counts attempts, by source when asked to', () => {
    logins.checkPassword('alice', 'wrong', REMOTE);
    assert.deepEqual(logins.attempts.bySource(), []);
    logins.attempts.trackSources = true;
    logins.checkPassword('alice', 'secret', REMOTE);
    logins.checkIdentity('cert', { ...LOCAL, protocol: 'http' });
    assert.deepEqual(logins.attempts.byProtocol(), [
      { protocol: 'amqp', succeeded: 1, failed: 1 },
      { protocol: 'http', succeeded: 1, failed: 0 },
    ]);
    assert.deepEqual(logins.attempts.bySource()[0], {
      protocol: 'amqp',
      address: '10.0.0.7',
      user: 'alice',
      succeeded: 1,
      failed: 0,
    });
    for (let i = 0; i < 1100; i++) logins.checkPassword(`user ${i}`, 'x', REMOTE);
    assert(logins.attempts.bySource().length <= 1001);
    logins.attempts.reset();
    assert.deepEqual(logins.attempts.byProtocol(), []);
  });
});

describe('isLoopbackAddress', () => {
  it('knows this machine', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '']) {
      assert(isLoopbackAddress(address), address);
    }
    for (const address of ['10.0.0.1', '::2', '::ffff:10.0.0.1', '1270.0.0.1']) {
      assert(!isLoopbackAddress(address), address);
    }
  });
});
