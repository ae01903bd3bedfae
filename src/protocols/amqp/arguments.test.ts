import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Arguments } from '../../core/queue-types.ts';
import {
  bindingArguments,
  coreName,
  declaredArguments,
  fieldTable,
  wireArguments,
  wireName,
} from './arguments.ts';

/** What JSON can hold; no key twice. */
const jsonLike = fc
  .dictionary(fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Arguments);

describe('arguments', () => {
  it('take the prefix off what core knows, and put it back', () => {
    assert.equal(coreName('x-message-ttl'), 'message-ttl');
    assert.equal(wireName('message-ttl'), 'x-message-ttl');
    assert.equal(coreName('x-of-my-own'), 'x-of-my-own');
    assert.equal(wireName('x-of-my-own'), 'x-of-my-own');
    assert.equal(coreName('alternate-exchange'), 'alternate-exchange');
    const table = fieldTable({ 'x-max-length': 5, 'x-own': 'a', plain: true });
    const declared = declaredArguments(table);
    assert.deepEqual(declared, { 'max-length': 5, 'x-own': 'a', plain: true });
    assert.deepEqual(wireArguments(declared), { 'x-max-length': 5, 'x-own': 'a', plain: true });
  });

  it('keep names of bindings as they are', () => {
    assert.deepEqual(bindingArguments(fieldTable({ 'x-match': 'all', 'x-max-length': 1 })), {
      'x-match': 'all',
      'x-max-length': 1,
    });
  });

  it('become fields and plain values again', () => {
    fc.assert(
      fc.property(jsonLike, (values) => {
        assert.deepEqual(bindingArguments(fieldTable(values)), values);
      }),
    );
  });
});
