import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { amqplibCodec, amqplibTable, anyFieldTable } from '../../../../test/support/amqp-values.ts';
import { AmqpCodecError } from './codec-error.ts';
import {
  FIELD,
  FieldCursor,
  isWellFormedTable,
  TABLE_DEPTH_MAX,
  TABLE_FIELDS_MAX,
} from './field-cursor.ts';
import { EMPTY_TABLE, readTable, readValue, tableGet, type FieldTable } from './field-table.ts';
import { METHODS } from './generated/methods.ts';
import { Output } from './output.ts';
import { OutputPool } from './output-pool.ts';

const pool = new OutputPool();

/** The fields without the length in front of them. */
function encode(table: FieldTable): Buffer {
  const output = new Output(pool, null);
  output.table(table);
  const bytes = output.toBuffer();
  assert.equal(bytes.readUInt32BE(0), bytes.length - 4);
  return bytes.subarray(4);
}

const decode = (bytes: Buffer): FieldTable => readTable(bytes, 0, bytes.length);

function wellFormed(bytes: Buffer): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    assert.ok(error instanceof AmqpCodecError);
    return false;
  }
}

/** `depth` tables inside each other, each but the innermost with one field. */
function nested(depth: number, type: number): Buffer {
  let bytes = Buffer.alloc(0);
  for (let i = 1; i < depth; i++) {
    const key = type === FIELD.table || i === depth - 1 ? Buffer.from([1, 0x61]) : Buffer.alloc(0);
    const head = Buffer.alloc(5);
    head.writeUInt8(type);
    head.writeUInt32BE(bytes.length, 1);
    bytes = Buffer.concat([key, head, bytes]);
  }
  return bytes;
}

describe('field tables', () => {
  test('survive the round trip with types and order, byte for byte', () => {
    fc.assert(
      fc.property(anyFieldTable, (table) => {
        const bytes = encode(table);
        const read = decode(bytes);
        assert.deepEqual(read, table);
        assert.deepEqual(encode(read), bytes);
        assert.ok(isWellFormedTable(bytes, 0, bytes.length));
      }),
    );
  });

  test('are what amqplib reads and writes', () => {
    fc.assert(
      fc.property(anyFieldTable, (table) => {
        const frame = amqplibCodec.encodeProperties(60, 1, 0n as unknown as number, {
          headers: amqplibTable(table),
        });
        // Frame header, content prefix, flags and the table's length precede it.
        assert.deepEqual(decode(frame.subarray(7 + 12 + 2 + 4, -1)), table);
      }),
    );
  });

  test('golden bytes of every type', () => {
    const golden: [string, FieldTable][] = [
      ['01747401', [{ key: 't', field: { type: 't', value: true } }]],
      ['016262ff', [{ key: 'b', field: { type: 'b', value: -1 } }]],
      ['014242ff', [{ key: 'B', field: { type: 'B', value: 255 } }]],
      ['0173738000', [{ key: 's', field: { type: 's', value: -32768 } }]],
      ['0175758000', [{ key: 'u', field: { type: 'u', value: 32768 } }]],
      ['014949fffffffe', [{ key: 'I', field: { type: 'I', value: -2 } }]],
      ['016969fffffffe', [{ key: 'i', field: { type: 'i', value: 4294967294 } }]],
      ['016c6cffffffffffffffff', [{ key: 'l', field: { type: 'l', value: -1 } }]],
      ['014c4c7fffffffffffffff', [{ key: 'L', field: { type: 'L', value: 2n ** 63n - 1n } }]],
      ['0166663fc00000', [{ key: 'f', field: { type: 'f', value: 1.5 } }]],
      ['0164643ff8000000000000', [{ key: 'd', field: { type: 'd', value: 1.5 } }]],
      ['0144440200000539', [{ key: 'D', field: { type: 'D', value: { scale: 2, digits: 1337 } } }]],
      ['01535300000002c3bc', [{ key: 'S', field: { type: 'S', value: 'ü' } }]],
      ['01535300000001ff', [{ key: 'S', field: { type: 'S', value: Buffer.from([255]) } }]],
      ['01787800000001ff', [{ key: 'x', field: { type: 'x', value: Buffer.from([255]) } }]],
      ['015454ffffffffffffffff', [{ key: 'T', field: { type: 'T', value: 2n ** 64n - 1n } }]],
      ['015656', [{ key: 'V', field: { type: 'V', value: null } }]],
      [
        '01414100000003425656',
        [
          {
            key: 'A',
            field: {
              type: 'A',
              value: [
                { type: 'B', value: 0x56 },
                { type: 'V', value: null },
              ],
            },
          },
        ],
      ],
      [
        '01464600000003016b56',
        [
          {
            key: 'F',
            field: { type: 'F', value: [{ key: 'k', field: { type: 'V', value: null } }] },
          },
        ],
      ],
    ];
    for (const [hex, table] of golden) {
      const bytes = Buffer.from(hex, 'hex');
      assert.deepEqual(decode(bytes), table);
      assert.equal(encode(table).toString('hex'), hex);
    }
  });

  test('truncated they are refused, whatever the place', () => {
    fc.assert(
      fc.property(anyFieldTable, (table) => {
        const bytes = encode(table);
        const ends = new Set(table.map((_, index) => encode(table.slice(0, index)).length));
        for (let end = 0; end < bytes.length; end++) {
          const part = bytes.subarray(0, end);
          assert.equal(wellFormed(part), ends.has(end));
          assert.equal(isWellFormedTable(part, 0, end), ends.has(end));
        }
      }),
    );
  });

  test('of garbage they are decoded or refused, and the check agrees', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        const bytes = Buffer.from(array);
        assert.equal(isWellFormedTable(bytes, 0, bytes.length), wellFormed(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  test('have a limit of depth', () => {
    for (const type of [FIELD.table, FIELD.array]) {
      // The innermost one is empty and costs nothing, so that one more level passes the check.
      assert.ok(wellFormed(nested(TABLE_DEPTH_MAX, type)));
      const deep = nested(TABLE_DEPTH_MAX + 2, type);
      assert.ok(!wellFormed(deep) && !isWellFormedTable(deep, 0, deep.length));
      const absurd = nested(20_000, type);
      assert.ok(!wellFormed(absurd) && !isWellFormedTable(absurd, 0, absurd.length));
    }
  });

  test('have a limit of fields, counted through all depths', () => {
    const many = Buffer.alloc(2 * TABLE_FIELDS_MAX);
    for (let i = 0; i < TABLE_FIELDS_MAX; i++) many[2 * i + 1] = FIELD.nothing;
    assert.equal(decode(many).length, TABLE_FIELDS_MAX);
    const more = Buffer.concat([many, Buffer.from([0, FIELD.nothing])]);
    assert.ok(!wellFormed(more) && !isWellFormedTable(more, 0, more.length));
    const array = Buffer.alloc(6 + TABLE_FIELDS_MAX, FIELD.nothing);
    array.writeUInt8(0, 0);
    array.writeUInt8(FIELD.array, 1);
    array.writeUInt32BE(TABLE_FIELDS_MAX, 2);
    assert.ok(!wellFormed(array) && !isWellFormedTable(array, 0, array.length));
  });

  test('lengths beyond what is there are refused', () => {
    for (const type of [FIELD.text, FIELD.bytes, FIELD.array, FIELD.table]) {
      for (const size of ['ffffffff', '80000000', '7fffffff', '00000001']) {
        const bytes = Buffer.from(`0161${type.toString(16)}${size}`, 'hex');
        assert.ok(!wellFormed(bytes));
      }
    }
  });

  test('of a key that comes twice the first one counts', () => {
    const table: FieldTable = [
      { key: 'a', field: { type: 'B', value: 1 } },
      { key: 'a', field: { type: 'B', value: 2 } },
    ];
    assert.deepEqual(decode(encode(table)), table);
    assert.deepEqual(tableGet(table, 'a'), { type: 'B', value: 1 });
    assert.equal(tableGet(EMPTY_TABLE, 'a'), null);
  });

  test('too deep a table of our own is an error of ours', () => {
    let table: FieldTable = [];
    for (let i = 0; i <= TABLE_DEPTH_MAX; i++)
      table = [{ key: 'k', field: { type: 'F', value: table } }];
    const output = new Output(pool, null);
    assert.throws(
      () =>
        METHODS.ConnectionStartOk.write(output, 0, {
          clientProperties: table,
          mechanism: 'PLAIN',
          response: Buffer.alloc(0),
          locale: 'en_US',
        }),
      /nest/,
    );
    output.dropFrame();
    assert.equal(output.pending, 0);
  });
});

describe('FieldCursor', () => {
  test('finds any key as the decoder does', () => {
    fc.assert(
      fc.property(anyFieldTable, (table) => {
        const bytes = encode(table);
        const cursor = new FieldCursor();
        for (const entry of table) {
          assert.ok(cursor.openTable(bytes, 0, bytes.length).find(Buffer.from(entry.key)));
          assert.deepEqual(readValue(cursor), entry.field);
          const { value } = entry.field;
          const isInteger = 'bBsuIilL'.includes(entry.field.type);
          assert.equal(cursor.integer(), isInteger ? Number(value) : Number.NaN);
          if (typeof value === 'string') assert.ok(cursor.valueIs(Buffer.from(value)));
        }
        assert.ok(!cursor.openTable(bytes, 0, bytes.length).find(Buffer.from('absent')));
        assert.ok(!cursor.failed);
      }),
    );
  });

  test('walks over an array', () => {
    const bytes = encode([
      {
        key: 'CC',
        field: {
          type: 'A',
          value: [
            { type: 'S', value: 'a' },
            { type: 'S', value: 'b' },
          ],
        },
      },
    ]);
    const cursor = new FieldCursor().openTable(bytes, 0, bytes.length);
    assert.ok(cursor.find(Buffer.from('CC')) && cursor.type === FIELD.array);
    cursor.openArray(bytes, cursor.valueStart, cursor.valueEnd);
    const texts: string[] = [];
    while (cursor.next()) texts.push(bytes.toString('utf8', cursor.valueStart, cursor.valueEnd));
    assert.deepEqual(texts, ['a', 'b']);
  });
});
