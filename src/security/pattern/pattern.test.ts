import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Pattern, findPatternDefect, quotePattern } from './pattern.ts';

function matches(source: string, name: string): boolean {
  const pattern = Pattern.compile(source);
  assert(pattern instanceof Pattern, `${source}: ${JSON.stringify(pattern)}`);
  return pattern.matches(name);
}

describe('Pattern', () => {
  it('matches anywhere unless anchored', () => {
    assert(matches('b', 'abc'));
    assert(matches('', 'abc'));
    assert(!matches('^b', 'abc'));
    assert(!matches('b$', 'abc'));
    assert(matches('^(amq\\.gen.*|amq\\.default)$', 'amq.default'));
    assert(!matches('^(amq\\.gen.*|amq\\.default)$', 'amq.topic'));
  });

  it('takes the end as Perl does: before a last line feed too', () => {
    assert(matches('^a$', 'a\n'));
    assert(matches('^$', '\n'));
    assert(!matches('^a\\z', 'a\n'));
    assert(!matches('^a$', 'a\n\n'));
  });

  const cases: readonly [string, string, boolean][] = [
    ['^(?!amq\\.).*', 'orders', true],
    ['^(?!amq\\.).*', 'amq.gen-1', false],
    ['(?<!x)y', 'xy', false],
    ['(?<!x)y', 'zy', true],
    ['(?<=ab)c', 'abc', true],
    ['(?i)^ORDERS$', 'orders', true],
    ['^(?i:A)b$', 'ab', true],
    ['^(?i:A)b$', 'aB', false],
    ['^a(?i)b|c$', 'C', true],
    ['[[:digit:]]{3}', 'a123', true],
    ['[[:digit:]]{3}', 'a12', false],
    ['[^a-c]', 'abc', false],
    ['[]a]', ']', true],
    ['[a-]', '-', true],
    ['a{2,3}b', 'aab', true],
    ['^a{2,3}$', 'aaaa', false],
    ['a{,x', 'a{,x', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
    ['\\bfoo\\b', 'a foo b', true],
    ['\\bfoo\\b', 'afoo', false],
    ['^\\x41\\x{42}$', 'AB', true],
    ['(?x) a b # c', 'ab', true],
    ['(?P<n>a)(?<m>b)', 'ab', true],
    ['(?#comment)a', 'a', true],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['(?m)^b$', 'a\nb\nc', true],
    ['^.$', '\u{1f600}', true],
    ['^(a|)*$', 'aaa', true],
    ['()*', '', true],
  ];
  for (const [source, name, expected] of cases) {
    it(`${JSON.stringify(source)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(name)}`, () => {
      assert.equal(matches(source, name), expected);
    });
  }

  it('refuses what is no pattern, and what needs backtracking', () => {
    for (const source of ['(', ')', '[', 'a**b(', '*', '(?', '(a)\\1', 'a++', '(?>a)', 'a{3,2}']) {
      assert.notEqual(findPatternDefect(source), null, source);
    }
    assert.notEqual(findPatternDefect('(((a{100}){100}){100})'), null);
    assert.notEqual(findPatternDefect('('.repeat(200) + ')'.repeat(200)), null);
    assert.notEqual(findPatternDefect('a'.repeat(5000)), null);
  });

  it('is not slow on patterns that make others slow', () => {
    const name = 'a'.repeat(255);
    assert(!matches('^(a+)+$', `${name}!`));
    assert(!matches('^(a|a)*$', `${name}!`));
    assert(!matches('(.*)*(.*)*(.*)*(.*)*x$', name));
    assert(!matches('^(?=(a+)+b)', name));
  });

  it('agrees with a backtracking matcher', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '^', '$', '\\b', 'c', '\\w');
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.array(tie('tree'), { maxLength: 3 }).map((parts) => parts.join('')),
        fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((all) => `(?:${all.join('|')})`),
        fc
          .tuple(tie('tree'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '*?'))
          .map(([part, times]) => `(?:${part})${times}`),
        tie('tree').map((part) => `(?=${part})`),
        tie('tree').map((part) => `(?!${part})`),
        tie('tree').map((part) => `(?<=${part})`),
      ),
    }));
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '-'), { maxLength: 8 });
    fc.assert(
      fc.property(tree, text, (source, chars) => {
        const name = chars.join('');
        assert.equal(matches(source, name), new RegExp(source, 'u').test(name), source);
      }),
      { numRuns: 500 },
    );
  });

  it('agrees on plain text with anchors, where the shortcut is taken', () => {
    const part = fc.constantFrom('^', '', '(?:)', '.*', '^.*', 'x?');
    const rear = fc.constantFrom('$', '', '.*', '.*$', 'b*');
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 5 });
    fc.assert(
      fc.property(part, letters, rear, letters, (front, middle, back, name) => {
        const source = front + middle + back;
        // JavaScript knows no end before a last line feed.
        const perl = source.endsWith('$') ? `${source.slice(0, -1)}(?=\n?$)` : source;
        assert.equal(matches(source, name), new RegExp(perl).test(name), JSON.stringify(source));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes any text quoted literally', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, other) => {
        assert(matches(`^${quotePattern(text)}\\z`, text));
        assert.equal(matches(`^${quotePattern(text)}\\z`, other), text === other);
      }),
    );
  });

  it('never throws', () => {
    const soup = fc.string({
      unit: fc.constantFrom(...Array.from('ab()[]{}*+?|^$\\.:!=<>-,1dwQEx#')),
      maxLength: 30,
    });
    fc.assert(
      fc.property(soup, fc.string({ maxLength: 20 }), (source, name) => {
        const pattern = Pattern.compile(source);
        if (pattern instanceof Pattern) pattern.matches(name);
      }),
      { numRuns: 2000 },
    );
  });
});
