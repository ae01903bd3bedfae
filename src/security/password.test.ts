import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findHashDefect, hashPassword, verifyPassword, type HashAlgorithm } from './password.ts';

describe('passwords', () => {
  it("makes RabbitMQ's hashes", () => {
    // The example of RabbitMQ's page on passwords.
    const salt = Buffer.from('908dc60a', 'hex');
    assert.deepEqual(hashPassword('test12', salt), {
      algorithm: 'sha256',
      hash: 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR',
    });
  });

  it('verifies what it made and nothing else', () => {
    const algorithms = fc.constantFrom<HashAlgorithm>('sha256', 'sha512', 'md5');
    const salts = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.string(), fc.string(), salts, algorithms, (right, other, salt, algorithm) => {
        const stored = hashPassword(right, Buffer.from(salt), algorithm);
        assert.equal(findHashDefect(stored), null);
        assert(verifyPassword(stored, right));
        assert(verifyPassword(stored, Buffer.from(right)));
        assert.equal(verifyPassword(stored, other), right === other);
      }),
    );
  });

  it('refuses hashes that are none', () => {
    const stored = hashPassword('x', Buffer.alloc(4));
    assert.notEqual(findHashDefect({ ...stored, algorithm: 'md5' }), null);
    assert.notEqual(findHashDefect({ ...stored, hash: `${stored.hash} ` }), null);
    assert(!verifyPassword({ ...stored, hash: '' }, 'x'));
    assert(!verifyPassword({ ...stored, hash: '!!!' }, 'x'));
  });
});
