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
  const steps: Step[] = [];
  emit(node);
  push({ op: 'match' });
  return { steps };

  function push(step: Step): number {
    if (++totals.steps > STEPS_MAX) throw new PatternError('the pattern is too large');
    return steps.push(step) - 1;
  }

  function emit(current: Node): void {
    switch (current.kind) {
      case 'set':
        push({ op: 'set', set: current.set });
        return;
      case 'place':
        push({ op: 'place', place: current.place });
        return;
      case 'sequence':
        for (const child of current.nodes) emit(child);
        return;
      case 'either':
        emitEither(current.nodes);
        return;
      case 'repeat':
        emitRepeat(current.node, current.min, current.max);
        return;
      case 'look': {
        const { behind, negative } = current;
        const index = totals.looks++;
        const program = compileProgram(current.node, totals);
        push({ op: 'look', program, behind, negative, index });
      }
    }
  }

  function emitEither(nodes: readonly Node[]): void {
    const jumps: { target: number }[] = [];
    for (const [i, child] of nodes.entries()) {
      if (i === nodes.length - 1) {
        emit(child);
        break;
      }
      const split = { op: 'split' as const, first: steps.length + 1, second: 0 };
      push(split);
      emit(child);
      const jump = { op: 'jump' as const, target: 0 };
      push(jump);
      jumps.push(jump);
      split.second = steps.length;
    }
    for (const jump of jumps) jump.target = steps.length;
  }

  function emitRepeat(child: Node, min: number, max: number): void {
    for (let i = 0; i < min; i++) emit(child);
    if (max === Infinity) {
      const split = { op: 'split' as const, first: steps.length + 1, second: 0 };
      const start = push(split);
      emit(child);
      push({ op: 'jump', target: start });
      split.second = steps.length;
      return;
    }
    const splits: { second: number }[] = [];
    for (let i = min; i < max; i++) {
      const split = { op: 'split' as const, first: steps.length + 1, second: 0 };
      push(split);
      emit(child);
      splits.push(split);
    }
    for (const split of splits) split.second = steps.length;
  }
}
