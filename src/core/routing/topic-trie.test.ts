import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { naiveMatch } from '../../../test/support/naive-topic-match.ts';
import { TopicTrie, hasWildcard } from './topic-trie.ts';

const word = fc.constantFrom('a', 'b', 'c', '', 'long-word');
const patternText = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#', '#')), { maxLength: 6 })
  .map((words) => words.join('.'));
const keyText = fc.array(word, { maxLength: 6 }).map((words) => words.join('.'));

describe('TopicTrie', () => {
  it('knows the cases of the specification', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['usd.stock', 'usd.stock', true],
      ['*.stock.#', 'usd.stock', true],
      ['*.stock.#', 'eur.stock.db', true],
      ['*.stock.#', 'stock.nasdaq', false],
      ['#', '', true],
      ['#', 'a.b.c', true],
      ['*', '', false],
      ['*', 'a.b', false],
      ['a.#', 'a', true],
      ['#.b', 'b', true],
      ['a.#.b', 'a.b', true],
      ['a.#.b', 'a.x.y.b', true],
      ['a.#.b', 'a.x.y', false],
      ['a.*.b', 'a..b', true],
      ['', '', true],
      ['', 'a', false],
      ['a*', 'ab', false],
      ['a*', 'a*', true],
    ];
    for (const [pattern, key, expected] of cases) {
      const trie = new TopicTrie<object>();
      trie.add(pattern, {});
      assert.equal(trie.match(key).length === 1, expected, `${pattern} ~ ${key}`);
      assert.equal(naiveMatch(pattern, key), expected, `naive: ${pattern} ~ ${key}`);
    }
  });

  it('matches as the naive matcher does, through additions and removals', () => {
    const change = fc.record({ pattern: patternText, who: fc.nat(3), add: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        fc.array(keyText, { minLength: 1, maxLength: 6 }),
        (changes, keys) => {
          const trie = new TopicTrie<{ readonly id: number; readonly pattern: string }>({
            cachedKeysMax: 4,
          });
          const subscribed = new Map<string, { id: number; pattern: string }>();
          for (const { pattern, who, add } of changes) {
            const known = subscribed.get(`${who} ${pattern}`);
            if (add && known === undefined) {
              const subscriber = { id: who, pattern };
              assert(trie.add(pattern, subscriber));
              assert(!trie.add(pattern, subscriber));
              subscribed.set(`${who} ${pattern}`, subscriber);
            } else if (!add && known !== undefined) {
              assert(trie.remove(pattern, known));
              assert(!trie.remove(pattern, known));
              subscribed.delete(`${who} ${pattern}`);
            }
            assert.equal(trie.size, subscribed.size);
            for (const key of keys) {
              const expected = [...subscribed.values()].filter((s) => naiveMatch(s.pattern, key));
              const matched = trie.match(key);
              assert.equal(matched.length, expected.length);
              assert.deepEqual(new Set(matched), new Set(expected));
            }
          }
        },
      ),
    );
  });

  it('is empty again when everything was removed', () => {
    fc.assert(
      fc.property(fc.uniqueArray(patternText, { maxLength: 30 }), (patterns) => {
        const trie = new TopicTrie<{ readonly pattern: string }>();
        const subscribers = patterns.map((pattern) => ({ pattern }));
        for (const subscriber of subscribers) trie.add(subscriber.pattern, subscriber);
        for (const subscriber of subscribers) assert(trie.remove(subscriber.pattern, subscriber));
        assert.equal(trie.size, 0);
        const root = (trie as unknown as { root: { isEmpty: boolean } }).root;
        assert(root.isEmpty);
      }),
    );
  });

  it('forgets what it remembered when a pattern changes', () => {
    const trie = new TopicTrie<object>();
    const [one, two] = [{}, {}];
    trie.add('a.b', one);
    assert.deepEqual(trie.match('a.b'), [one]);
    assert.equal(trie.match('a.b'), trie.match('a.b'));
    const version = trie.version;
    trie.add('a.*', two);
    assert(trie.version > version);
    assert.equal(trie.match('a.b').length, 2);
    trie.remove('a.b', one);
    assert.deepEqual(trie.match('a.b'), [two]);
  });

  it('does not blow up on patterns with many #', () => {
    const trie = new TopicTrie<object>();
    trie.add(Array.from({ length: 40 }, () => '#.a').join('.'), {});
    trie.add(`${Array.from({ length: 40 }, () => '#.a').join('.')}.b`, {});
    assert.equal(trie.match(Array.from({ length: 120 }, () => 'a').join('.')).length, 1);
  });

  it('holds 100,000 patterns, and finds one of them', () => {
    const trie = new TopicTrie<{ readonly id: number }>();
    const subscribers = Array.from({ length: 100_000 }, (_, id) => ({ id }));
    for (const subscriber of subscribers) trie.add(`sensors.${subscriber.id}.*.temp`, subscriber);
    assert.deepEqual(trie.match('sensors.77.kitchen.temp'), [{ id: 77 }]);
    for (const subscriber of subscribers) {
      trie.remove(`sensors.${subscriber.id}.*.temp`, subscriber);
    }
    assert.equal(trie.size, 0);
  });
});

describe('hasWildcard', () => {
  it('looks at whole words', () => {
    for (const pattern of ['*', '#', 'a.*', '#.a', 'a.#.b']) assert(hasWildcard(pattern), pattern);
    for (const pattern of ['', 'a', 'a*', 'a#.b', '.']) assert(!hasWildcard(pattern), pattern);
  });
});
