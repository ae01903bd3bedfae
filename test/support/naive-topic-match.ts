/** What a pattern of words, '*' and '#' means, in the plainest words. */
export function naiveMatch(pattern: string, key: string): boolean {
  return match(wordsOf(pattern), wordsOf(key));
}

function wordsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split('.');
}

function match(pattern: readonly string[], key: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return key.length === 0;
  if (first === '#') return match(rest, key) || (key.length > 0 && match(pattern, key.slice(1)));
  return key.length > 0 && (first === '*' || first === key[0]) && match(rest, key.slice(1));
}
