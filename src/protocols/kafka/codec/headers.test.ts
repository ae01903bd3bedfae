import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodecError } from './codec-error.ts';
import { API_VERSIONS } from './generated/api-versions.ts';
import { apiByKey, APIS } from './generated/apis.ts';
import { FETCH } from './generated/fetch.ts';
import { writeResponseHeader } from './generated/headers.ts';
import { OFFSET_DELETE } from './generated/offset-delete.ts';
import { SASL_HANDSHAKE } from './generated/sasl-handshake.ts';
import { readRequestHeader, readResponseHeader, writeRequestHeader } from './headers.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const readerOf = (hex: string): Reader => new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

test('reads header version 1', () => {
  const reader = readerOf('0001 000b 00000007 0003 616263 99');
  assert.deepEqual(readRequestHeader(reader), {
    apiKey: 1,
    apiVersion: 11,
    correlationId: 7,
    clientId: 'abc',
    api: FETCH,
  });
  assert.equal(reader.remaining, 1);
});

test('the flexible header keeps the 2-byte client id and may carry unknown tags', () => {
  const reader = readerOf('0001 000c 00000007 0003 616263 01 05 02 aabb 99');
  assert.equal(readRequestHeader(reader).clientId, 'abc');
  assert.equal(reader.remaining, 1);
  const nameless = readerOf('0001 000c 00000007 ffff 00');
  assert.equal(readRequestHeader(nameless).clientId, null);
});

test('unknown keys and versions have a header all the same', () => {
  const unknownKey = readRequestHeader(readerOf('7fff 0000 00000009 ffff'));
  assert.equal(unknownKey.api, null);
  assert.equal(unknownKey.correlationId, 9);
  const newer = readRequestHeader(readerOf('0012 0063 00000009 0001 61 00 deadbeef'));
  assert.equal(newer.api, API_VERSIONS);
  assert.equal(newer.apiVersion, 99);
  assert.equal(newer.correlationId, 9);
  assert.equal(readRequestHeader(readerOf('8000 8000 00000009 ffff')).api, null);
  assert.equal(readRequestHeader(readerOf('0012 8000 00000009 ffff')).apiVersion, -32768);
});

test('a header cut anywhere is an error', () => {
  const whole = Buffer.from('0001000c000000070003616263010502aabb', 'hex');
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readRequestHeader(new Reader(whole, 0, length)), CodecError);
  }
});

test('ApiVersions responses have header version 0 at every version', () => {
  for (let version = API_VERSIONS.minVersion; version <= API_VERSIONS.maxVersion; version++) {
    assert.equal(API_VERSIONS.responseHeaderVersion(version), 0);
  }
  assert.equal(API_VERSIONS.requestHeaderVersion(2), 1);
  assert.equal(API_VERSIONS.requestHeaderVersion(3), 2);
  assert.equal(FETCH.responseHeaderVersion(11), 0);
  assert.equal(FETCH.responseHeaderVersion(12), 1);
});

test('SaslHandshake and OffsetDelete are never flexible', () => {
  for (const api of [SASL_HANDSHAKE, OFFSET_DELETE]) {
    assert.equal(api.requestHeaderVersion(api.maxVersion), 1);
    assert.equal(api.responseHeaderVersion(api.maxVersion), 0);
  }
});

test('headers written are read back', () => {
  for (const api of APIS) {
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      const writer = new Writer();
      writeRequestHeader(writer, api, { apiVersion: version, correlationId: 42, clientId: 'me' });
      const request = new Reader(writer.toBuffer());
      assert.equal(readRequestHeader(request).correlationId, 42);
      assert.equal(request.remaining, 0);
      writer.reset();
      writeResponseHeader(writer, { correlationId: 43 }, api.responseHeaderVersion(version));
      const response = new Reader(writer.toBuffer());
      assert.equal(readResponseHeader(response, api, version), 43);
      assert.equal(response.remaining, 0);
    }
  }
});

test('the registry finds every API by its key and nothing else', () => {
  for (const api of APIS) assert.equal(apiByKey(api.key), api);
  for (const key of [-1, 4, 7, 52, 73, 93, 32767]) assert.equal(apiByKey(key), null);
});
