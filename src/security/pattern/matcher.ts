import type { Program, Step } from './program.ts';
import { setHas, type Place } from './syntax.ts';

const WORD = /^\w$/;

/**
 * Runs a program over a text by keeping all the places of the program that the text so far can lead to: time grows
 * with the text's length times the program's, whatever the pattern (squared in the length under lookarounds).
 */
export class Matcher {
  private readonly codes: readonly number[];
  /** Answers of lookarounds: index * (length + 1) + position. */
  private readonly looked = new Map<number, boolean>();

  constructor(text: string) {
    this.codes = Array.from(text, (char) => char.codePointAt(0) ?? 0);
  }

  /** Whether the program matches anywhere in the text; not floating: from its start. */
  search(program: Program, { floating }: { readonly floating: boolean }): boolean {
    return this.run(program, { from: 0, floating, until: null });
  }

  /** until: the match must end there; null: anywhere. */
  private run(
    { steps }: Program,
    range: { readonly from: number; readonly floating: boolean; readonly until: number | null },
  ): boolean {
    const { from, floating, until } = range;
    const end = until ?? this.codes.length;
    let current: number[] = [];
    let next: number[] = [];
    const seen = new Int32Array(steps.length).fill(-1);
    for (let position = from; position <= end; position++) {
      if (position === from || floating) this.follow(steps, 0, position, current, seen);
      const code = this.codes[position] ?? -1;
      for (const index of current) {
        const step = steps[index];
        if (step?.op === 'match' && (until === null || position === until)) return true;
      }
      if (position === end) break;
      for (const index of current) {
        const step = steps[index];
        if (step?.op !== 'set' || !setHas(step.set, code)) continue;
        this.follow(steps, index + 1, position + 1, next, seen);
      }
      [current, next] = [next, current];
      next.length = 0;
      if (current.length === 0 && !floating) return false;
    }
    return false;
  }

  /** Adds the steps that wait for a character, or match, and can be reached from index without reading any. */
  private follow(
    steps: readonly Step[],
    index: number,
    position: number,
    into: number[],
    seen: Int32Array,
  ): void {
    const open = [index];
    for (;;) {
      const at = open.pop();
      if (at === undefined) return;
      const step = steps[at];
      if (step === undefined || seen[at] === position) continue;
      seen[at] = position;
      switch (step.op) {
        case 'split':
          open.push(step.second, step.first);
          break;
        case 'jump':
          open.push(step.target);
          break;
        case 'place':
          if (this.isAt(step.place, position)) open.push(at + 1);
          break;
        case 'look':
          if (this.look(step, position)) open.push(at + 1);
          break;
        default:
          into.push(at);
      }
    }
  }

  private look(step: Extract<Step, { op: 'look' }>, position: number): boolean {
    const key = step.index * (this.codes.length + 1) + position;
    const known = this.looked.get(key);
    if (known !== undefined) return known;
    const found = step.behind
      ? this.run(step.program, { from: 0, floating: true, until: position })
      : this.run(step.program, { from: position, floating: false, until: null });
    const answer = found !== step.negative;
    this.looked.set(key, answer);
    return answer;
  }

  private isAt(place: Place, position: number): boolean {
    const { codes } = this;
    const length = codes.length;
    switch (place) {
      case 'start':
        return position === 0;
      case 'very-end':
        return position === length;
      case 'end':
        return position === length || (position === length - 1 && codes[position] === 0x0a);
      case 'line-start':
        return position === 0 || (codes[position - 1] === 0x0a && position < length);
      case 'line-end':
        return position === length || codes[position] === 0x0a;
      default: {
        const boundary = this.isWord(position - 1) !== this.isWord(position);
        return boundary === (place === 'word');
      }
    }
  }

  private isWord(position: number): boolean {
    const code = this.codes[position];
    return code !== undefined && WORD.test(String.fromCodePoint(code));
  }
}
