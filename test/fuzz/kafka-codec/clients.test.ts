import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findBatchDefect } from '../../../src/base/record-batch.ts';
import { CodecError } from '../../../src/protocols/kafka/codec/codec-error.ts';
import { readProduceRequest } from '../../../src/protocols/kafka/codec/generated/produce.ts';
import {
  readRequestHeader,
  writeRequestHeader,
} from '../../../src/protocols/kafka/codec/headers.ts';
import { Reader } from '../../../src/protocols/kafka/codec/reader.ts';
import { Writer } from '../../../src/protocols/kafka/codec/writer.ts';
import { messagesUnderTest, type MessageUnderTest } from './arbitraries.ts';

/** A request as a client sent it, without the frame's size. */
interface Captured {
  readonly client: string;
  readonly api: string;
  readonly version: number;
  readonly hex: string;
}

const captured = readFileSync(new URL('clients.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Captured); // our own file
const requests = new Map(messagesUnderTest().map((message) => [message.name, message]));

function requestOf(api: string): MessageUnderTest {
  const message = requests.get(`${api}Request`);
  assert.ok(message !== undefined, api);
  return message;
}

test('requests of real clients are read to the end and written back the same', () => {
  for (const { client, api, version, hex } of captured) {
    const name = `${client} ${api} v${version}`;
    const frame = Buffer.from(hex, 'hex');
    const reader = new Reader(frame);
    const header = readRequestHeader(reader);
    assert.ok(header.api !== null, name);
    assert.deepEqual([header.api.name, header.apiVersion], [api, version], name);
    const request = requestOf(api).read(reader, version);
    assert.equal(reader.remaining, 0, name);
    const writer = new Writer();
    writeRequestHeader(writer, header.api, header);
    requestOf(api).write(writer, request, version);
    assert.equal(writer.toBuffer().toString('hex'), hex, name);
  }
});

test('their record batches are whole', () => {
  let batches = 0;
  for (const { version, hex } of captured.filter(({ api }) => api === 'Produce')) {
    const reader = new Reader(Buffer.from(hex, 'hex'));
    readRequestHeader(reader);
    const records = readProduceRequest(reader, version).topicData[0]?.partitionData[0]?.records;
    assert.ok(records instanceof Buffer);
    assert.equal(findBatchDefect(records, 0, records.length), null);
    batches++;
  }
  assert.ok(batches >= 2);
});

test('their requests cut at any byte are errors', () => {
  for (const { api, version, hex } of captured) {
    const frame = Buffer.from(hex, 'hex');
    for (let length = 0; length < frame.length; length++) {
      const reader = new Reader(frame, 0, length);
      assert.throws(() => {
        readRequestHeader(reader);
        requestOf(api).read(reader, version);
      }, CodecError);
    }
  }
});
