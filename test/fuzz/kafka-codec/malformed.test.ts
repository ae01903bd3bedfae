import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CodecError } from '../../../src/protocols/kafka/codec/codec-error.ts';
import { Reader } from '../../../src/protocols/kafka/codec/reader.ts';
import { encode, messagesUnderTest, type MessageUnderTest } from './arbitraries.ts';

/** Reads bytes inside a larger buffer; returns the error, or null when they could be read. */
function readAll(message: MessageUnderTest, bytes: Buffer, version: number): CodecError | null {
  const around = Buffer.concat([Buffer.alloc(4, 0x01), bytes, Buffer.alloc(64, 0x01)]);
  const reader = new Reader(around, 4, 4 + bytes.length);
  try {
    message.read(reader, version);
  } catch (error) {
    // Anything but a CodecError is a bug of the reader.
    if (!(error instanceof CodecError)) throw error;
    assert.ok(error.message.startsWith(`${message.name} v${version}`), error.message);
    return error;
  }
  assert.ok(reader.position <= 4 + bytes.length, 'read beyond its end');
  return null;
}

/** Oldest, newest and first flexible version: where layouts differ most. */
function versionsToTry(message: MessageUnderTest): number[] {
  const chosen = new Set([message.versions[0] ?? 0, message.versions.at(-1) ?? 0]);
  if (message.versions.includes(message.flexibleFrom)) chosen.add(message.flexibleFrom);
  return [...chosen];
}

/** Long messages are cut at this many places, evenly apart. */
const CUTS_MAX = 60;

test('a message cut short is an error', () => {
  for (const message of messagesUnderTest()) {
    for (const version of versionsToTry(message)) {
      const [value] = fc.sample(message.values(version), { numRuns: 1, seed: 77 + version });
      assert.ok(value !== undefined);
      const bytes = encode(message, value, version);
      const step = 1 + Math.floor(bytes.length / CUTS_MAX);
      for (let length = bytes.length - 1; length >= 0; length -= step) {
        const error = readAll(message, bytes.subarray(0, length), version);
        assert.ok(error !== null, `${message.name} v${version} read from ${length} bytes`);
      }
    }
  }
});

test('a message with changed bytes is read or refused, nothing else', () => {
  let refused = 0;
  for (const message of messagesUnderTest()) {
    for (const version of versionsToTry(message)) {
      fc.assert(
        fc.property(
          message.values(version),
          fc.array(fc.tuple(fc.nat(), fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff)), {
            minLength: 1,
            maxLength: 3,
          }),
          (value, changes) => {
            const bytes = encode(message, value, version);
            if (bytes.length === 0) return;
            for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
            if (readAll(message, bytes, version) !== null) refused++;
          },
        ),
        { numRuns: 8, seed: 99 + version },
      );
    }
  }
  assert.ok(refused > 0);
});

test('garbage is read or refused, nothing else', () => {
  const messages = messagesUnderTest();
  fc.assert(
    fc.property(
      fc.nat(messages.length - 1),
      fc.nat(20),
      fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        // Mostly zeros and ones decode far: they reach the inner fields.
        fc.array(fc.constantFrom(0, 0, 0, 1, 2, 0xff), { maxLength: 300 }),
      ),
      (index, pick, garbage) => {
        const message = messages[index];
        assert.ok(message !== undefined);
        const version = message.versions[pick % message.versions.length] ?? 0;
        readAll(message, Buffer.from(garbage), version);
      },
    ),
    { numRuns: 3_000, seed: 5 },
  );
});

test('a version outside the definition is refused', () => {
  for (const message of messagesUnderTest()) {
    for (const version of [
      -1,
      (message.versions[0] ?? 0) - 1,
      (message.versions.at(-1) ?? 0) + 1,
    ]) {
      assert.throws(() => message.read(new Reader(Buffer.alloc(64)), version), CodecError);
    }
  }
});
