import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  amqplibCodec,
  anyArgument,
  type ArgumentPair,
} from '../../../../test/support/amqp-values.ts';
import { AmqpCodecError } from './codec-error.ts';
import { ContentHeader } from './content-header.ts';
import { rewriteContent } from './content-rewrite.ts';
import { FieldCursor } from './field-cursor.ts';
import type { FieldTable } from './field-table.ts';
import { CONTENT_PREFIX_BYTES, FRAME_HEADER_BYTES } from './frame.ts';
import {
  NO_PROPERTIES,
  PROPERTY,
  readBasicProperties,
  writeBasicProperties,
  type BasicProperties,
} from './generated/basic-properties.ts';
import { Output } from './output.ts';
import { OutputPool } from './output-pool.ts';

const pool = new OutputPool();

interface Sample {
  readonly ours: BasicProperties;
  readonly theirs: Record<string, unknown>;
}

/** Any properties, each there or not, in our form and in amqplib's. */
const anySample: fc.Arbitrary<Sample> = fc
  .record(
    Object.fromEntries(
      amqplibCodec.info(60).args.map(({ name, type }) => [name, anyArgument(type)]),
    ) as Record<string, fc.Arbitrary<ArgumentPair>>,
    { requiredKeys: [] },
  )
  .map((pairs) => {
    const ours: Record<string, unknown> = { ...NO_PROPERTIES };
    const theirs: Record<string, unknown> = {};
    for (const [name, pair] of Object.entries(pairs)) {
      ours[name] = pair?.ours ?? null;
      theirs[name] = pair?.theirs;
    }
    return { ours: ours as unknown as BasicProperties, theirs };
  });

function sectionOf(properties: BasicProperties): Buffer {
  const output = new Output(pool, null);
  writeBasicProperties(output, properties);
  return output.toBuffer();
}

function headerOf(section: Buffer): ContentHeader {
  const header = new ContentHeader();
  header.parseSection(section, 0, section.length);
  return header;
}

const payloadOf = (section: Buffer, prefix = '003c0000000000000000002a'): Buffer =>
  Buffer.concat([Buffer.from(prefix, 'hex'), section]);

function parse(payload: Buffer): ContentHeader {
  const header = new ContentHeader();
  header.parse(payload, 0, payload.length);
  return header;
}

describe('ContentHeader', () => {
  test('amqplib writes the same bytes, and reading them gives what was written', () => {
    fc.assert(
      fc.property(anySample, fc.maxSafeNat(), ({ ours, theirs }, bodyBytes) => {
        const frame = amqplibCodec.encodeProperties(60, 1, bodyBytes, theirs);
        const payload = frame.subarray(FRAME_HEADER_BYTES, -1);
        const header = parse(payload);
        assert.equal(header.bodyBytes, bodyBytes);
        assert.deepEqual(readBasicProperties(header), ours);
        assert.deepEqual(sectionOf(ours), payload.subarray(CONTENT_PREFIX_BYTES));
        header.checkHeaders();
      }),
      { numRuns: 1000 },
    );
  });

  test('truncated or with more behind it it is refused, whatever the place', () => {
    fc.assert(
      fc.property(anySample, ({ ours }) => {
        const payload = payloadOf(sectionOf(ours));
        for (let end = 0; end < payload.length; end++) {
          assert.throws(() => parse(payload.subarray(0, end)), AmqpCodecError);
        }
        assert.throws(() => parse(Buffer.concat([payload, Buffer.alloc(1)])), AmqpCodecError);
      }),
    );
  });

  test('of garbage it is read or refused', () => {
    const anyFlags = fc.tuple(fc.nat(0xffff), fc.uint8Array({ maxLength: 100 }));
    fc.assert(
      fc.property(anyFlags, ([flags, rest]) => {
        const section = Buffer.concat([Buffer.from([flags >> 8, flags & 0xff]), Buffer.from(rest)]);
        try {
          const header = headerOf(section);
          header.checkHeaders();
          readBasicProperties(header);
        } catch (error) {
          assert.ok(error instanceof AmqpCodecError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('further flags are passed over when they say nothing, and refused when they do', () => {
    assert.equal(headerOf(Buffer.from('000100010000', 'hex')).flags, 0);
    assert.equal(headerOf(Buffer.from('1001000002', 'hex')).number(PROPERTY.deliveryMode), 2);
    const refused = ['0001', '00018000', '0002', '10010001', '0001'.repeat(9) + '0000'];
    for (const hex of refused) {
      assert.throws(() => headerOf(Buffer.from(hex, 'hex')), AmqpCodecError, hex);
    }
  });

  test('says in the words of RabbitMQ when another frame was due', () => {
    const section = sectionOf(NO_PROPERTIES);
    assert.throws(() => parse(payloadOf(section, '003c0001000000000000002a')), {
      replyText:
        'UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead',
    });
    assert.throws(() => parse(payloadOf(section, '005a0000000000000000002a')), {
      replyText:
        'UNEXPECTED_FRAME - expected content header for class 60, got one for class 90 instead',
    });
  });

  test('finds headers without decoding the others', () => {
    const section = sectionOf({
      ...NO_PROPERTIES,
      contentType: 'text/plain',
      headers: [
        { key: 'x-delay', field: { type: 'I', value: 1500 } },
        { key: 'CC', field: { type: 'A', value: [{ type: 'S', value: 'k1' }] } },
      ],
    });
    const header = headerOf(section);
    assert.equal(header.findHeader(Buffer.from('x-delay'))?.integer(), 1500);
    assert.equal(header.findHeader(Buffer.from('BCC')), null);
    const cursor = new FieldCursor();
    assert.ok(header.openHeaderArray(Buffer.from('CC'), cursor) && cursor.next());
    assert.ok(cursor.valueIs(Buffer.from('k1')) && !cursor.next());
    assert.ok(!header.openHeaderArray(Buffer.from('x-delay'), cursor));
    assert.equal(headerOf(sectionOf(NO_PROPERTIES)).findHeader(Buffer.from('CC')), null);
    assert.ok(!headerOf(sectionOf(NO_PROPERTIES)).openHeaders(cursor).next());
  });

  test('malformed headers are told by checkHeaders', () => {
    const header = headerOf(Buffer.from('2000000000030161ee', 'hex'));
    assert.throws(() => header.checkHeaders(), AmqpCodecError);
    assert.equal(header.findHeader(Buffer.from('a')), null);
  });
});

describe('rewriteContent', () => {
  const headers = (entries: [string, number][]): FieldTable =>
    entries.map(([key, value]) => ({ key, field: { type: 'I', value } }));

  test('changes what is named and keeps the rest, byte for byte', () => {
    fc.assert(
      fc.property(
        anySample,
        anySample,
        fc.array(fc.constantFrom(...Object.keys(PROPERTY))),
        (a, b, names) => {
          const wanted: Record<string, unknown> = {};
          for (const name of names) {
            if (name !== 'headers') wanted[name] = b.ours[name as keyof BasicProperties];
          }
          const section = rewriteContent(pool, headerOf(sectionOf(a.ours)), { properties: wanted });
          assert.deepEqual(section, sectionOf({ ...a.ours, ...wanted }));
        },
      ),
    );
  });

  test('takes headers away, replaces and adds them', () => {
    fc.assert(
      fc.property(anySample, anySample, fc.nat(6), ({ ours }, other, count) => {
        const before = ours.headers ?? [];
        const removeHeaders = before.slice(0, count).map((entry) => entry.key);
        const setHeaders = other.ours.headers ?? [];
        const section = rewriteContent(pool, headerOf(sectionOf(ours)), {
          removeHeaders,
          setHeaders,
        });
        const gone = new Set([...removeHeaders, ...setHeaders.map((entry) => entry.key)]);
        const after = [...before.filter((entry) => !gone.has(entry.key)), ...setHeaders];
        const has = ours.headers !== null || setHeaders.length > 0;
        assert.deepEqual(section, sectionOf({ ...ours, headers: has ? after : null }));
      }),
    );
  });

  test('as dead-lettering does: without expiration and CC, with x-death', () => {
    const section = sectionOf({
      ...NO_PROPERTIES,
      headers: headers([
        ['CC', 1],
        ['a', 2],
        ['BCC', 3],
      ]),
      expiration: '1000',
      messageId: 'm1',
    });
    const changed = rewriteContent(pool, headerOf(section), {
      properties: { expiration: null, deliveryMode: 2 },
      removeHeaders: ['CC', 'BCC'],
      setHeaders: headers([['x-death', 4]]),
    });
    assert.deepEqual(readBasicProperties(headerOf(changed)), {
      ...NO_PROPERTIES,
      headers: headers([
        ['a', 2],
        ['x-death', 4],
      ]),
      deliveryMode: 2,
      messageId: 'm1',
    });
  });

  test('further flags do not survive a change', () => {
    const changed = rewriteContent(pool, headerOf(Buffer.from('1001000002', 'hex')), {
      properties: { priority: 3 },
    });
    assert.equal(changed.toString('hex'), '18000203');
  });
});
