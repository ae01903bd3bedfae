import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Reader } from '../../../src/protocols/kafka/codec/reader.ts';
import { encode, messagesUnderTest, plain } from './arbitraries.ts';
import { agrees } from './official-encoder.ts';

interface Golden {
  readonly name: string;
  readonly version: number;
  readonly hex: string;
  readonly json: unknown;
}

test('bytes that Kafka wrote read as the values Kafka shows, and are written the same', () => {
  const messages = new Map(messagesUnderTest().map((message) => [message.name, message]));
  const lines = readFileSync(new URL('golden.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  for (const line of lines) {
    const { name, version, hex, json } = JSON.parse(line) as Golden; // written by capture-golden.ts
    const message = messages.get(name);
    assert.ok(message !== undefined, `${name} is not defined`);
    const bytes = Buffer.from(hex, 'hex');
    const reader = new Reader(bytes);
    const value = message.read(reader, version);
    assert.ok(agrees(plain(value), json), `${name} v${version}: ${JSON.stringify(value)}`);
    assert.equal(reader.remaining, 0, `${name} v${version}`);
    assert.equal(encode(message, value, version).toString('hex'), hex, `${name} v${version}`);
  }
  assert.ok(lines.length > 250, `only ${lines.length} messages`);
});
