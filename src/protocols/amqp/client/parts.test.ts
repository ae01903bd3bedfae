import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContentHeader } from '../codec/content-header.ts';
import { readBasicProperties } from '../codec/generated/basic-properties.ts';
import { Delivery } from './delivery.ts';
import { basicProperties, namedProperties, plainHeaders, propertyFault } from './properties.ts';
import { propertySection } from './publish-frame.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { parseTarget } from './target.ts';

test('paths name a queue, or an exchange and a routing key', () => {
  assert.deepEqual(parseTarget('jobs'), { kind: 'queue', queue: 'jobs' });
  assert.deepEqual(parseTarget('a%2Fb'), { kind: 'queue', queue: 'a/b' });
  assert.deepEqual(parseTarget('/jobs'), { kind: 'queue', queue: 'jobs' });
  const logs = { kind: 'exchange', exchange: 'logs' };
  assert.deepEqual(parseTarget('logs/'), { ...logs, routingKey: '' });
  assert.deepEqual(parseTarget('logs/a.#'), { ...logs, routingKey: 'a.#' });
  assert.deepEqual(parseTarget('logs/a/b%25'), { ...logs, routingKey: 'a/b%' });
});

test('properties and headers survive the way to the wire and back', () => {
  const named = {
    'content-type': 'text/plain',
    'correlation-id': 'c',
    expiration: '1000',
    'delivery-mode': '2',
    priority: '9',
    timestamp: '1767312000',
  };
  const headers = [
    { name: 'text', value: Buffer.from('ü') },
    { name: 'nothing', value: null },
  ];
  const section = propertySection(basicProperties(named, headers));
  const header = new ContentHeader();
  header.parseSection(section, 0, section.length);
  const read = readBasicProperties(header);
  assert.deepEqual(namedProperties(read), {
    ...named,
    'delivery-mode': 2,
    priority: 9,
    timestamp: 1_767_312_000,
  });
  assert.deepEqual(plainHeaders(read), headers);
});

test('headers that are no text are shown as JSON', () => {
  const list = { type: 'A', value: [{ type: 'l', value: 2n ** 60n }] } as const;
  const properties = { ...basicProperties({}, []), headers: [{ key: 'x', field: list }] };
  assert.deepEqual(plainHeaders(properties), [
    { name: 'x', value: Buffer.from('["1152921504606846976"]') },
  ]);
});

test('a property that cannot be is told', () => {
  assert.equal(propertyFault('priority', '255'), null);
  assert.equal(propertyFault('type', ''), null);
  assert.match(propertyFault('priority', '256') ?? '', /up to 255/);
  assert.match(propertyFault('expiration', '10s') ?? '', /in digits/);
  assert.match(propertyFault('message-id', 'x'.repeat(256)) ?? '', /255 bytes/);
  assert.match(propertyFault('content_type', 'x') ?? '', /known: content-type/);
  assert.match(propertyFault('__proto__', 'x') ?? '', /known/);
});

test('received bytes come out once, in order, never before as many as were asked for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 })),
      fc.infiniteStream(fc.nat(30)),
      (chunks, wanted) => {
        const buffer = new ReceiveBuffer();
        const seen: number[] = [];
        let kept = 0;
        for (const chunk of chunks) {
          const bytes = buffer.push(Buffer.from(chunk));
          if (bytes === null) continue;
          // Half of it is taken, the rest given back.
          const taken = bytes.length >> 1;
          seen.push(...bytes.subarray(0, taken));
          kept = bytes.length - taken;
          buffer.keep(bytes.subarray(taken), kept + (wanted.next().value ?? 0));
        }
        const all = chunks.flatMap((chunk) => [...chunk]);
        assert.deepEqual(seen, all.slice(0, seen.length));
      },
    ),
  );
});

test('whatever the bytes of a delivery are, it is read inside its bounds or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const buffer = Buffer.concat([Buffer.from(bytes), Buffer.alloc(20, 0xff)]);
      const delivery = new Delivery();
      try {
        delivery.parseMethod(buffer, 0, bytes.length);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'LB5002');
        return;
      }
      assert.equal(delivery.routingKeyEnd, bytes.length);
    }),
  );
});
