import { PatternError } from './parser.ts';
import type { CharSet, Node, Place } from './syntax.ts';

/** One step of a compiled pattern. Steps follow each other unless they say otherwise. */
export type Step =
  | { readonly op: 'set'; readonly set: CharSet }
  | { readonly op: 'place'; readonly place: Place }
  /** Continues at both. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; target: number }
  | {
      readonly op: 'look';
      readonly program: Program;
      readonly behind: boolean;
      readonly negative: boolean;
      /** Number among the looks of the whole pattern. */
      readonly index: number;
    }
  | { readonly op: 'match' };

export interface Program {
  readonly steps: readonly Step[];
}

/** Steps of a whole pattern, those of lookarounds included: with the name's length, this bounds the time of a match. */
const STEPS_MAX = 2000;

interface Totals {
  steps: number;
  looks: number;
}

/** Compiles a tree; PatternError when it becomes too large. */
export function compileProgram(node: Node, totals: Totals = { steps: 0, looks: 0 }): Program {
  const compiler = new Compiler(totals);
  compiler.emit(node);
  compiler.push({ op: 'match' });
  return { steps: compiler.steps };
}

class Compiler {
  readonly steps: Step[] = [];
  private readonly totals: Totals;

  constructor(totals: Totals) {
    this.totals = totals;
  }

  push(step: Step): void {
    if (++this.totals.steps > STEPS_MAX) throw new PatternError('the pattern is too large');
    this.steps.push(step);
  }

  emit(node: Node): void {
    switch (node.kind) {
      case 'set':
        this.push({ op: 'set', set: node.set });
        break;
      case 'place':
        this.push({ op: 'place', place: node.place });
        break;
      case 'sequence':
        for (const child of node.nodes) this.emit(child);
        break;
      case 'either':
        this.emitEither(node.nodes);
        break;
      case 'repeat':
        this.emitRepeat(node.node, node.min, node.max);
        break;
      case 'look': {
        const { behind, negative } = node;
        const index = this.totals.looks++;
        const program = compileProgram(node.node, this.totals);
        this.push({ op: 'look', program, behind, negative, index });
      }
    }
  }

  private emitEither(nodes: readonly Node[]): void {
    const jumps: { target: number }[] = [];
    for (const [i, child] of nodes.entries()) {
      if (i === nodes.length - 1) {
        this.emit(child);
        break;
      }
      const split = this.split();
      this.emit(child);
      const jump = { op: 'jump' as const, target: 0 };
      this.push(jump);
      jumps.push(jump);
      split.second = this.steps.length;
    }
    for (const jump of jumps) jump.target = this.steps.length;
  }

  private emitRepeat(child: Node, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.emit(child);
    if (max === Infinity) {
      const start = this.steps.length;
      const split = this.split();
      this.emit(child);
      this.push({ op: 'jump', target: start });
      split.second = this.steps.length;
      return;
    }
    const splits: { second: number }[] = [];
    for (let i = min; i < max; i++) {
      splits.push(this.split());
      this.emit(child);
    }
    for (const split of splits) split.second = this.steps.length;
  }

  /** Goes on with the next step, and where second will say. */
  private split(): { second: number } {
    const split = { op: 'split' as const, first: this.steps.length + 1, second: 0 };
    this.push(split);
    return split;
  }
}
