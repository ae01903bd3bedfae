import { MatchCache } from './match-cache.ts';

const SEPARATOR = 0x2e;
const STAR = '*';
const HASH = '#';
/** Keys whose matches are remembered. */
const CACHED_KEYS_MAX = 8192;

/** Receives what matched. */
export type MatchVisitor<Subscriber> = (subscriber: Subscriber) => void;

/**
 * One word of patterns that share their beginning. Most nodes have one child and one subscriber: those are fields,
 * and become collections only when there are more.
 */
class TrieNode<Subscriber> {
  readonly parent: TrieNode<Subscriber> | null;
  /** The word that leads here from the parent. */
  readonly word: string;
  onlyWord = '';
  onlyChild: TrieNode<Subscriber> | null = null;
  children: Map<string, TrieNode<Subscriber>> | null = null;
  star: TrieNode<Subscriber> | null = null;
  hash: TrieNode<Subscriber> | null = null;
  onlySubscriber: Subscriber | null = null;
  subscribers: Set<Subscriber> | null = null;
  /** The matching step that reached it last. */
  step = 0;

  constructor(parent: TrieNode<Subscriber> | null, word: string) {
    this.parent = parent;
    this.word = word;
  }

  get isHash(): boolean {
    return this.parent !== null && this.parent.hash === this;
  }

  child(word: string): TrieNode<Subscriber> | null {
    if (this.children !== null) return this.children.get(word) ?? null;
    return this.onlyChild !== null && this.onlyWord === word ? this.onlyChild : null;
  }

  addChild(word: string): TrieNode<Subscriber> {
    const node = new TrieNode<Subscriber>(this, word);
    if (word === STAR) this.star = node;
    else if (word === HASH) this.hash = node;
    else if (this.children !== null) this.children.set(word, node);
    else if (this.onlyChild === null) {
      this.onlyWord = word;
      this.onlyChild = node;
    } else {
      this.children = new Map([
        [this.onlyWord, this.onlyChild],
        [word, node],
      ]);
      this.onlyWord = '';
      this.onlyChild = null;
    }
    return node;
  }

  removeChild(node: TrieNode<Subscriber>): void {
    if (this.star === node) this.star = null;
    else if (this.hash === node) this.hash = null;
    else if (this.onlyChild === node) {
      this.onlyWord = '';
      this.onlyChild = null;
    } else if (this.children !== null) {
      this.children.delete(node.word);
      if (this.children.size === 0) this.children = null;
    }
  }

  get isEmpty(): boolean {
    return (
      this.onlySubscriber === null &&
      this.subscribers === null &&
      this.onlyChild === null &&
      this.children === null &&
      this.star === null &&
      this.hash === null
    );
  }

  add(subscriber: Subscriber): boolean {
    if (this.subscribers !== null) {
      if (this.subscribers.has(subscriber)) return false;
      this.subscribers.add(subscriber);
      return true;
    }
    if (this.onlySubscriber === subscriber) return false;
    if (this.onlySubscriber === null) {
      this.onlySubscriber = subscriber;
    } else {
      this.subscribers = new Set([this.onlySubscriber, subscriber]);
      this.onlySubscriber = null;
    }
    return true;
  }

  remove(subscriber: Subscriber): boolean {
    if (this.subscribers !== null) {
      const removed = this.subscribers.delete(subscriber);
      if (this.subscribers.size === 0) this.subscribers = null;
      return removed;
    }
    if (this.onlySubscriber !== subscriber) return false;
    this.onlySubscriber = null;
    return true;
  }

  visit(visitor: MatchVisitor<Subscriber>): void {
    if (this.onlySubscriber !== null) visitor(this.onlySubscriber);
    else if (this.subscribers !== null) this.subscribers.forEach(visitor);
  }
}

/**
 * Subscribers by pattern. Words are separated by dots; in a pattern '*' stands for one word and '#' for any number of
 * them, wherever it is. The empty key has no words. A subscriber is an object of any kind, equal to itself only.
 *
 * Matching follows all patterns at once, a word at a time: the set of nodes reached so far is what it keeps, so its cost
 * grows with words times nodes in reach, however many '#' a pattern has.
 */
export class TopicTrie<Subscriber extends object> {
  /** Counts up with each change: results of match() made before are of the past. */
  version = 0;
  /** Pairs of pattern and subscriber. */
  size = 0;
  private readonly root = new TrieNode<Subscriber>(null, '');
  private readonly cache: MatchCache<readonly Subscriber[]>;
  private reached: TrieNode<Subscriber>[] = [];
  private next: TrieNode<Subscriber>[] = [];
  private step = 0;

  constructor(options: { readonly cachedKeysMax?: number } = {}) {
    this.cache = new MatchCache(options.cachedKeysMax ?? CACHED_KEYS_MAX);
  }

  /** False when the subscriber has that pattern (or one that means the same) already. */
  add(pattern: string, subscriber: Subscriber): boolean {
    let node = this.root;
    for (const word of canonicalWords(pattern)) {
      node = this.follow(node, word) ?? node.addChild(word);
    }
    if (!node.add(subscriber)) return false;
    this.size++;
    this.changed(pattern);
    return true;
  }

  /** False when it had no such pattern. */
  remove(pattern: string, subscriber: Subscriber): boolean {
    let node: TrieNode<Subscriber> | null = this.root;
    for (const word of canonicalWords(pattern)) {
      node = this.follow(node, word);
      if (node === null) return false;
    }
    if (!node.remove(subscriber)) return false;
    this.size--;
    while (node.isEmpty && node.parent !== null) {
      node.parent.removeChild(node);
      node = node.parent;
    }
    this.changed(pattern);
    return true;
  }

  /** Who matches the key, once for each matching pattern. Remembered: the array is shared, and valid for this version. */
  match(key: string): readonly Subscriber[] {
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const matched: Subscriber[] = [];
    this.visit(key, (subscriber) => matched.push(subscriber));
    this.cache.set(key, matched);
    return matched;
  }

  /** As match(), without remembering. The visitor must not change the trie. */
  visit(key: string, visitor: MatchVisitor<Subscriber>): void {
    this.reached.length = 0;
    this.step++;
    this.reach(this.root, this.reached);
    let start = 0;
    while (start <= key.length && key.length > 0) {
      let end = start;
      while (end < key.length && key.charCodeAt(end) !== SEPARATOR) end++;
      this.advance(key.slice(start, end));
      if (this.reached.length === 0) return;
      start = end + 1;
    }
    for (const node of this.reached) node.visit(visitor);
  }

  private advance(word: string): void {
    const { reached, next } = this;
    this.step++;
    next.length = 0;
    for (const node of reached) {
      if (node.isHash) this.reach(node, next);
      const child = node.child(word);
      if (child !== null) this.reach(child, next);
      if (node.star !== null) this.reach(node.star, next);
    }
    this.reached = next;
    this.next = reached;
  }

  /** A node, and the '#' behind it, which needs no word. */
  private reach(node: TrieNode<Subscriber>, into: TrieNode<Subscriber>[]): void {
    if (node.step === this.step) return;
    node.step = this.step;
    into.push(node);
    if (node.hash !== null) this.reach(node.hash, into);
  }

  private follow(node: TrieNode<Subscriber>, word: string): TrieNode<Subscriber> | null {
    if (word === STAR) return node.star;
    if (word === HASH) return node.hash;
    return node.child(word);
  }

  private changed(pattern: string): void {
    this.version++;
    if (hasWildcard(pattern)) this.cache.clear();
    else this.cache.delete(pattern);
  }
}

/** Whether a pattern matches other keys than the one it spells. */
export function hasWildcard(pattern: string): boolean {
  if (!pattern.includes(STAR) && !pattern.includes(HASH)) return false;
  return pattern.split('.').some((word) => word === STAR || word === HASH);
}

/**
 * The words of a pattern, runs of wildcards written in one way: '#.*.#' says what '*.#' says. So no '#' follows
 * another, and equivalent patterns share their nodes.
 */
function canonicalWords(pattern: string): readonly string[] {
  if (pattern === '') return [];
  const words = pattern.split('.');
  if (!pattern.includes(HASH)) return words;
  const canonical: string[] = [];
  let hashPending = false;
  for (const word of words) {
    if (word === HASH) {
      hashPending = true;
    } else {
      if (hashPending && word !== STAR) {
        canonical.push(HASH);
        hashPending = false;
      }
      canonical.push(word);
    }
  }
  if (hashPending) canonical.push(HASH);
  return canonical;
}
