import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BatchBuilder } from '../../../base/batch-builder.ts';
import { openRecords, type RecordHeader } from '../../../base/records.ts';
import { Message, ORIGIN } from '../../message/message.ts';
import { PropertiesReaders, type MessageProperties } from '../../message/properties.ts';
import { murmur2 } from '../hash.ts';
import { KeyTemplate } from './key-template.ts';
import { recordHeadersOf } from './record-headers.ts';
import { RecordMessages } from './record-messages.ts';
import { RecordPropertiesReader } from './record-properties.ts';

const readers = new PropertiesReaders();
readers.register(ORIGIN.kafka, new RecordPropertiesReader());

/** The message that a record with this key and these headers is read as. */
function messageOf(key: Buffer | null, headers: readonly RecordHeader[]): Message {
  const builder = new BatchBuilder();
  builder.append(key, null, 1, headers);
  const bytes = builder.finish();
  const record = openRecords(bytes, 0, 1 << 20);
  assert(typeof record !== 'string' && record.next());
  const message = new Message();
  new RecordMessages().read(record, message);
  return message;
}

describe('RecordPropertiesReader', () => {
  it('takes headers by the names of properties, and the rest as headers', () => {
    const message = messageOf(Buffer.from('k'), [
      { name: 'content-type', value: Buffer.from('a/b') },
      { name: 'timestamp', value: Buffer.from('12') },
      { name: 'raw', value: Buffer.from([0xff, 0x00]) },
      { name: 'content-type', value: Buffer.from('second') },
      { name: 'none', value: null },
    ]);
    const properties = readers.read(message);
    assert.equal(properties.contentType, 'a/b');
    assert.equal(properties.timestampMs, 12);
    assert.deepEqual(properties.key, Buffer.from('k'));
    assert.deepEqual(properties.headers, [
      ['raw', Buffer.from([0xff, 0x00])],
      ['content-type', 'second'],
      ['none', null],
    ]);
    assert.deepEqual(readers.header(message, 'raw'), Buffer.from([0xff, 0x00]));
    assert.equal(readers.header(message, 'none'), null);
    assert.equal(readers.header(message, 'other'), undefined);
  });

  it('reads back what was written as record headers', () => {
    const text = fc.option(fc.string({ minLength: 1, unit: 'grapheme' }), { nil: null });
    const shape = fc.record(
      {
        contentType: text,
        contentEncoding: text,
        correlationId: text,
        replyTo: text,
        messageId: text,
        type: text,
        userId: text,
        appId: text,
        timestampMs: fc.option(fc.nat(), { nil: null }),
        key: fc.option(
          fc.uint8Array({ maxLength: 9 }).map((b) => Buffer.from(b)),
          { nil: null },
        ),
        headers: fc.array(
          fc.tuple(
            fc.string({ maxLength: 5 }).map((name) => `h${name}`),
            fc.oneof(text, fc.constant(Buffer.from([0xc3, 0x28]))),
          ),
          { maxLength: 4 },
        ),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(shape, (properties: MessageProperties) => {
        const message = messageOf(properties.key, recordHeadersOf(properties));
        assert.deepEqual(readers.read(message), properties);
      }),
    );
  });

  it('ends at bytes that are none', () => {
    const reader = new RecordPropertiesReader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        reader.read(buffer, 0, buffer.length);
        reader.header(buffer, 0, buffer.length, 'x');
      }),
    );
  });
});

describe('KeyTemplate', () => {
  const message = messageOf(null, [
    { name: 'message-id', value: Buffer.from('m') },
    { name: 'id', value: Buffer.from('7') },
    { name: 'raw', value: Buffer.from([0xff]) },
  ]);
  message.routingKey = 'a.b';
  const keyOf = (text: string): Buffer | null | undefined =>
    KeyTemplate.parse(text)?.keyOf(message, readers);

  it('makes keys of text and what the message has', () => {
    assert.deepEqual(keyOf('{routing_key}'), Buffer.from('a.b'));
    assert.deepEqual(keyOf('x-{message_id}/{header:id}{correlation_id}!'), Buffer.from('x-m/7!'));
    assert.deepEqual(keyOf('{header:raw}'), Buffer.from([0xff]));
    assert.deepEqual(keyOf('same'), Buffer.from('same'));
    for (const none of ['', '{header:none}', '{correlation_id}']) assert.equal(keyOf(none), null);
  });

  it('takes no other names', () => {
    for (const text of ['{}', '{nothing}', 'a{b}c']) assert.equal(KeyTemplate.parse(text), null);
  });
});

describe('murmur2', () => {
  it('hashes as kafka-clients does', () => {
    const known: readonly (readonly [string, number])[] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ];
    for (const [text, hash] of known) assert.equal(murmur2(Buffer.from(text)), hash, text);
  });
});
