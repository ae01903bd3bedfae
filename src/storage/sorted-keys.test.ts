import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '../base/random.ts';
import { compareKeys, SortedKeys } from './sorted-keys.ts';

function collect(keys: SortedKeys, prefix: string): string[] {
  const found: string[] = [];
  keys.forEach(prefix, (key) => found.push(key));
  return found;
}

test('sorted keys agree with a sorted array', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), key, (names, prefix) => {
      const keys = new SortedKeys();
      const model = new Set<string>();
      for (const name of names) {
        if (model.has(name)) keys.remove(name);
        else keys.add(name);
        if (!model.delete(name)) model.add(name);
      }
      const expected = [...model].filter((name) => name.startsWith(prefix)).sort(compareKeys);
      assert.deepEqual(collect(keys, prefix), expected);
      assert.equal(keys.size, model.size);
    }),
  );
});

test('200,000 keys in random order stay sorted through splits, removals and a reset', () => {
  const random = new SeededRandom(7);
  const names = Array.from({ length: 200_000 }, (_, i) => `topic/${i}`);
  for (let i = names.length - 1; i > 0; i--) {
    const j = random.uint32() % (i + 1);
    [names[i], names[j]] = [names[j]!, names[i]!];
  }
  const keys = new SortedKeys();
  for (const name of names) keys.add(name);
  const sorted = [...names].sort(compareKeys);
  assert.deepEqual(collect(keys, ''), sorted);
  assert.deepEqual(
    collect(keys, 'topic/1999'),
    sorted.filter((name) => name.startsWith('topic/1999')),
  );
  for (const name of names.slice(0, 150_000)) keys.remove(name);
  const rest = names.slice(150_000).sort(compareKeys);
  assert.deepEqual(collect(keys, ''), rest);
  keys.reset(names.slice(150_000));
  assert.deepEqual(collect(keys, ''), rest);
});
