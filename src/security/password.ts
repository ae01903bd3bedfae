import { createHash, timingSafeEqual } from 'node:crypto';

/** RabbitMQ's algorithms; hashes made by it are taken over as they are. */
export type HashAlgorithm = 'sha256' | 'sha512' | 'md5';

/** A salted hash: base64 of the salt (4 bytes) and the digest of salt and password. */
export interface PasswordHash {
  readonly algorithm: HashAlgorithm;
  readonly hash: string;
}

const SALT_SIZE = 4;
const DIGEST_SIZES: Readonly<Record<HashAlgorithm, number>> = { sha256: 32, sha512: 64, md5: 16 };

/** Hashes a password (UTF-8) with a salt of four random bytes. */
export function hashPassword(
  password: string | Buffer,
  salt: Buffer,
  algorithm: HashAlgorithm = 'sha256',
): PasswordHash {
  if (salt.length !== SALT_SIZE) throw new RangeError(`a salt has ${SALT_SIZE} bytes`);
  const bytes = Buffer.concat([salt, digest(algorithm, salt, password)]);
  return { algorithm, hash: bytes.toString('base64') };
}

/** Compares in a time that does not depend on where the difference is. */
export function verifyPassword(stored: PasswordHash, password: string | Buffer): boolean {
  const bytes = Buffer.from(stored.hash, 'base64');
  if (bytes.length !== SALT_SIZE + DIGEST_SIZES[stored.algorithm]) return false;
  const salt = bytes.subarray(0, SALT_SIZE);
  return timingSafeEqual(bytes.subarray(SALT_SIZE), digest(stored.algorithm, salt, password));
}

/** What is wrong with a hash from elsewhere, or null. */
export function findHashDefect({ algorithm, hash }: PasswordHash): string | null {
  const size = SALT_SIZE + DIGEST_SIZES[algorithm];
  const bytes = Buffer.from(hash, 'base64');
  if (bytes.length === size && bytes.toString('base64') === hash) return null;
  return `the password hash is not the base64 of ${size} bytes (${algorithm})`;
}

function digest(algorithm: HashAlgorithm, salt: Buffer, password: string | Buffer): Buffer {
  return createHash(algorithm).update(salt).update(password).digest();
}
