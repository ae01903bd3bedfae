import { Matcher } from './matcher.ts';
import { PatternError, PatternParser } from './parser.ts';
import { compileProgram, type Program } from './program.ts';
import type { Node } from './syntax.ts';
import { anchoredPrefixOf, literalOf, matchesLiteral, type Literal } from './literal.ts';

/** A longer pattern is refused. */
const PATTERN_LENGTH_MAX = 4096;
/** Names are shorter in every protocol; of longer ones only plain text is looked for. */
const NAME_LENGTH_MAX = 1024;

/**
 * A compiled pattern for names: it matches anywhere in them, as Perl's do. No pattern takes longer than linear time, so
 * one that somebody wrote to stall the broker cannot.
 */
export class Pattern {
  readonly source: string;
  private readonly program: Program;
  /** Most patterns are plain text with anchors: compared as such. */
  private readonly literal: Literal | null;
  /** What matches begin with, at the start of the name only; null: they may be anywhere. */
  private readonly prefix: string | null;

  private constructor(source: string, node: Node) {
    this.source = source;
    this.program = compileProgram(node);
    this.literal = literalOf(node);
    this.prefix = anchoredPrefixOf(node);
  }

  /** The pattern, or what is wrong with it. */
  static compile(source: string): Pattern | { readonly defect: string } {
    if (source.length > PATTERN_LENGTH_MAX) return { defect: 'the pattern is too long' };
    try {
      return new Pattern(source, new PatternParser(source).parse());
    } catch (error) {
      if (error instanceof PatternError) return { defect: error.message };
      throw error;
    }
  }

  matches(name: string): boolean {
    if (this.literal !== null) return matchesLiteral(this.literal, name);
    if (name.length > NAME_LENGTH_MAX || !name.startsWith(this.prefix ?? '')) return false;
    return new Matcher(name).search(this.program, { floating: this.prefix === null });
  }
}

/** What is wrong with a pattern, or null. */
export function findPatternDefect(source: string): string | null {
  const compiled = Pattern.compile(source);
  return compiled instanceof Pattern ? null : compiled.defect;
}

/** Text as a pattern that matches exactly it. */
export function quotePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}#\s-]/g, (char) =>
    /\s/.test(char) ? `\\x{${(char.codePointAt(0) ?? 0).toString(16)}}` : `\\${char}`,
  );
}
