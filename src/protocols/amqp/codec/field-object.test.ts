import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectOf, tableOf } from './field-object.ts';

test('plain values get the types that RabbitMQ would choose, and come back', () => {
  const object = {
    product: 'Lyrebird',
    capabilities: { publisher_confirms: true },
    small: -1,
    large: 2 ** 40,
    huge: 2n ** 62n,
    share: 0.5,
    bytes: Buffer.from([1, 2]),
    list: ['a', null],
  };
  const table = tableOf(object);
  assert.deepEqual(
    table.map((entry) => `${entry.key} ${entry.field.type}`),
    ['product S', 'capabilities F', 'small I', 'large l', 'huge l', 'share d', 'bytes x', 'list A'],
  );
  assert.deepEqual(objectOf(table), object);
});

test('of a key that comes twice the first one counts, and no key is special', () => {
  const object = objectOf([
    { key: '__proto__', field: { type: 'D', value: { scale: 2, digits: 150 } } },
    { key: '__proto__', field: { type: 'V', value: null } },
  ]);
  assert.deepEqual(Object.entries(object), [['__proto__', 1.5]]);
});
