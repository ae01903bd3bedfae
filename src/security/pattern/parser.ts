import {
  ANYTHING,
  ESCAPED_SETS,
  NOT_NEWLINE,
  POSIX_SETS,
  charSet,
  ignoreCase,
  invertSet,
  type CharSet,
  type Node,
} from './syntax.ts';

/** A pattern that cannot be used; the message says why and where. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

const REPEAT_MAX = 1000;
const DEPTH_MAX = 100;
const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  t: 0x09,
  n: 0x0a,
  r: 0x0d,
  f: 0x0c,
  e: 0x1b,
  a: 0x07,
};

interface Flags {
  ignoreCase: boolean;
  dotAll: boolean;
  multiline: boolean;
  extended: boolean;
}

const FLAGS: Readonly<Record<string, keyof Flags>> = {
  i: 'ignoreCase',
  s: 'dotAll',
  m: 'multiline',
  x: 'extended',
};

/**
 * Reads a Perl-compatible regular expression: what administrators of RabbitMQ write. What cannot be matched in linear
 * time (back-references), and possessive and atomic groups, which only make sense to a backtracking matcher, are
 * refused.
 */
export class PatternParser {
  private readonly chars: readonly string[];
  private at = 0;
  private depth = 0;
  private flags: Readonly<Flags> = {
    ignoreCase: false,
    dotAll: false,
    multiline: false,
    extended: false,
  };

  constructor(text: string) {
    this.chars = Array.from(text);
  }

  parse(): Node {
    const node = this.alternatives();
    if (this.at < this.chars.length) throw this.error('unmatched closing parenthesis');
    return node;
  }

  private alternatives(): Node {
    if (++this.depth > DEPTH_MAX) throw this.error('groups are nested too deeply');
    const flags = this.flags;
    const nodes: Node[] = [this.sequence()];
    while (this.take('|')) nodes.push(this.sequence());
    this.flags = flags;
    this.depth--;
    const [only] = nodes;
    return nodes.length === 1 && only !== undefined ? only : { kind: 'either', nodes };
  }

  private sequence(): Node {
    const nodes: Node[] = [];
    while (this.at < this.chars.length && this.peek() !== '|' && this.peek() !== ')') {
      const node = this.atom();
      if (node !== null) nodes.push(this.repeated(node));
    }
    return { kind: 'sequence', nodes };
  }

  /** null for what is nothing: comments, blanks under (?x), changes of flags. */
  private atom(): Node | null {
    const char = this.next();
    switch (char) {
      case '(':
        return this.group();
      case '[':
        return this.charClass();
      case '.':
        return { kind: 'set', set: this.flags.dotAll ? ANYTHING : NOT_NEWLINE };
      case '^':
        return { kind: 'place', place: this.flags.multiline ? 'line-start' : 'start' };
      case '$':
        return { kind: 'place', place: this.flags.multiline ? 'line-end' : 'end' };
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
        throw this.error('quantifier does not follow a repeatable item');
      default:
        if (this.flags.extended && /\s/.test(char)) return null;
        if (this.flags.extended && char === '#') {
          while (this.at < this.chars.length && this.next() !== '\n');
          return null;
        }
        return this.literal(char.codePointAt(0) ?? 0);
    }
  }

  private repeated(node: Node): Node {
    let result = node;
    for (;;) {
      const bounds = this.quantifier();
      if (bounds === null) return result;
      const [min, max] = bounds;
      if (this.take('+')) throw this.error('possessive quantifiers are not supported');
      this.take('?'); // Lazy or greedy: whether the text matches is the same.
      result = { kind: 'repeat', node: result, min, max };
    }
  }

  private quantifier(): readonly [number, number] | null {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    if (this.peek() !== '{') return null;
    const close = this.chars.indexOf('}', this.at);
    const inside = close < 0 ? '' : this.chars.slice(this.at + 1, close).join('');
    const match = /^(\d+)(?:(,)(\d*))?$/.exec(inside);
    if (match === null) return null; // A brace that is no quantifier stands for itself.
    this.at = close + 1;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Infinity : Number(match[3]);
    if (max < min) throw this.error('numbers out of order in {} quantifier');
    if (min > REPEAT_MAX || (max !== Infinity && max > REPEAT_MAX)) {
      throw this.error('number too big in {} quantifier');
    }
    return [min, max];
  }

  private group(): Node | null {
    if (!this.take('?')) return this.closed();
    if (this.take('#')) {
      while (this.next() !== ')');
      return null;
    }
    if (this.take(':')) return this.closed();
    if (this.take('=')) return this.look(false, false);
    if (this.take('!')) return this.look(false, true);
    if (this.take('>')) throw this.error('atomic groups are not supported');
    const named = this.take('P');
    if (this.take('<')) {
      if (!named && this.take('=')) return this.look(true, false);
      if (!named && this.take('!')) return this.look(true, true);
      return this.named('>');
    }
    if (!named && this.take("'")) return this.named("'");
    if (named) throw this.error('unrecognized character after (?P');
    return this.flagGroup();
  }

  private named(end: string): Node {
    while (this.next() !== end);
    return this.closed();
  }

  private look(behind: boolean, negative: boolean): Node {
    return { kind: 'look', node: this.closed(), behind, negative };
  }

  private closed(): Node {
    const node = this.alternatives();
    if (!this.take(')')) throw this.error('missing closing parenthesis');
    return node;
  }

  /** (?i) holds to the end of the group, (?i:...) inside it. */
  private flagGroup(): Node | null {
    let on = true;
    const flags = { ...this.flags };
    for (;;) {
      const char = this.next();
      const flag = FLAGS[char];
      if (char === '-') on = false;
      else if (flag !== undefined) flags[flag] = on;
      else if (char === ')') {
        this.flags = flags;
        return null;
      } else if (char === ':') {
        const outer = this.flags;
        this.flags = flags;
        const node = this.closed();
        this.flags = outer;
        return node;
      } else {
        throw this.error('unrecognized character after (? or (?-');
      }
    }
  }

  private escape(): Node | null {
    const char = this.next();
    if (char === 'b') return { kind: 'place', place: 'word' };
    if (char === 'B') return { kind: 'place', place: 'no-word' };
    if (char === 'A') return { kind: 'place', place: 'start' };
    if (char === 'Z') return { kind: 'place', place: 'end' };
    if (char === 'z') return { kind: 'place', place: 'very-end' };
    if (char === 'E') return null;
    if (char === 'Q') return this.quoted();
    const set = ESCAPED_SETS[char];
    if (set !== undefined) return { kind: 'set', set };
    return this.literal(this.escapedCode(char));
  }

  /** \Q...\E: everything stands for itself. */
  private quoted(): Node {
    const nodes: Node[] = [];
    while (this.at < this.chars.length) {
      if (this.peek() === '\\' && this.chars[this.at + 1] === 'E') {
        this.at += 2;
        break;
      }
      nodes.push(this.literal(this.next().codePointAt(0) ?? 0));
    }
    return { kind: 'sequence', nodes };
  }

  private escapedCode(char: string): number {
    const simple = SIMPLE_ESCAPES[char];
    if (simple !== undefined) return simple;
    if (char === 'x') return this.hexCode();
    if (char === '0') return this.digits(/[0-7]/, 2, 8);
    if (/[1-9]/.test(char)) throw this.error('back-references are not supported');
    if (/[A-Za-z]/.test(char)) throw this.error(`the escape \\${char} is not supported`);
    return char.codePointAt(0) ?? 0;
  }

  private hexCode(): number {
    if (!this.take('{')) return this.digits(/[0-9a-f]/i, 2, 16);
    const code = this.digits(/[0-9a-f]/i, 6, 16);
    if (!this.take('}')) throw this.error('missing terminating } for hexadecimal escape');
    return code;
  }

  private digits(kind: RegExp, countMax: number, base: number): number {
    let text = '';
    while (text.length < countMax && kind.test(this.peek())) text += this.next();
    return text === '' ? 0 : Number.parseInt(text, base);
  }

  private charClass(): Node {
    const negative = this.take('^');
    const ranges: (readonly [number, number])[] = [];
    let first = true;
    while (first || this.peek() !== ']') {
      if (this.at >= this.chars.length) throw this.error('missing terminating ] for class');
      first = false;
      const low = this.classItem();
      const isRange = this.peek() === '-' && !['', ']'].includes(this.chars[this.at + 1] ?? '');
      if (typeof low !== 'number' || !isRange) {
        ranges.push(...(typeof low === 'number' ? [[low, low] as const] : low));
        continue;
      }
      this.at++;
      const high = this.classItem();
      if (typeof high !== 'number') throw this.error('invalid range in character class');
      if (high < low) throw this.error('range out of order in character class');
      ranges.push([low, high]);
    }
    this.at++;
    const listed = charSet(ranges);
    const set = this.flags.ignoreCase ? ignoreCase(listed) : listed;
    return { kind: 'set', set: negative ? invertSet(set) : set };
  }

  private classItem(): number | CharSet {
    const char = this.next();
    if (char === '[' && this.peek() === ':') {
      const rest = this.chars.slice(this.at, this.at + 12).join('');
      const match = /^:(\^?)([a-z]+):\]/.exec(rest);
      const set = match === null ? undefined : POSIX_SETS[match[2] ?? ''];
      if (match !== null) {
        if (set === undefined) throw this.error('unknown POSIX class name');
        this.at += match[0].length;
        return match[1] === '^' ? invertSet(set) : set;
      }
    }
    if (char !== '\\') return char.codePointAt(0) ?? 0;
    const escaped = this.next();
    if (escaped === 'b') return 0x08;
    return ESCAPED_SETS[escaped] ?? this.escapedCode(escaped);
  }

  private literal(code: number): Node {
    const set: CharSet = [[code, code]];
    return { kind: 'set', set: this.flags.ignoreCase ? ignoreCase(set) : set };
  }

  private peek(): string {
    return this.chars[this.at] ?? '';
  }

  private next(): string {
    const char = this.chars[this.at];
    if (char === undefined) throw this.error('pattern ends too early');
    this.at++;
    return char;
  }

  private take(char: string): boolean {
    if (this.chars[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private error(why: string): PatternError {
    return new PatternError(`${why} at position ${this.at}`);
  }
}
