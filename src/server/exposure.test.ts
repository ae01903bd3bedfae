import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LyrebirdError } from '../base/errors.ts';
import { checkExposure, isLoopback } from './exposure.ts';

describe('exposure', () => {
  it('knows the loopback interface', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) {
      assert.equal(isLoopback(host), true, host);
    }
    for (const host of ['0.0.0.0', '::', '', '10.0.0.1', 'localhost.example', '::ffff:10.0.0.1']) {
      assert.equal(isLoopback(host), false, host);
    }
  });

  it('refuses other hosts unless anonymous clients are accepted', () => {
    const listener = { name: 'kafka', scheme: 'kafka', host: '0.0.0.0', port: 0, tls: null };
    assert.throws(
      () => checkExposure([listener], 'deny'),
      (error) =>
        error instanceof LyrebirdError &&
        error.code === 'LB1004' &&
        error.message.includes('security.anonymous'),
    );
    checkExposure([listener], 'allow');
    const guarded = { ...listener, authenticates: true, protocol: { authenticates: true } };
    checkExposure([guarded], 'deny');
    checkExposure([{ ...listener, host: '127.0.0.1' }], 'deny');
  });
});
