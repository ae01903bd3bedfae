import { Matcher } from './matcher.ts';
import { PatternError, PatternParser } from './parser.ts';
import { compileProgram, type Program } from './program.ts';
import type { Node } from './syntax.ts';

/** A longer pattern is refused. */
const PATTERN_LENGTH_MAX = 4096;
/** Names are shorter in every protocol; of longer ones nothing matches but what matches everything. */
const NAME_LENGTH_MAX = 1024;

/**
 * A compiled pattern for names: it matches anywhere in them, as Perl's do. No pattern takes longer than linear time, so
 * one that somebody wrote to stall the broker cannot.
 */
export class Pattern {
  readonly source: string;
  private readonly program: Program;
  /** It must begin so; '' when unknown. Spares most of the work: patterns of administrators usually begin with ^name. */
  private readonly prefix: string;
  private readonly everything: boolean;

  private constructor(source: string, node: Node) {
    this.source = source;
    this.program = compileProgram(node);
    this.prefix = prefixOf(node);
    this.everything = source === '' || source === '.*' || source === '^.*';
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
    if (this.everything) return true;
    if (name.length > NAME_LENGTH_MAX || !name.startsWith(this.prefix)) return false;
    return new Matcher(name).search(this.program);
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

function prefixOf(node: Node): string {
  if (node.kind !== 'sequence') return '';
  const [start, ...rest] = node.nodes;
  if (start?.kind !== 'place' || start.place !== 'start') return '';
  let prefix = '';
  for (const next of rest) {
    if (next.kind !== 'set' || next.set.length !== 1) break;
    const [range] = next.set;
    if (range === undefined || range[0] !== range[1]) break;
    prefix += String.fromCodePoint(range[0]);
  }
  return prefix;
}
