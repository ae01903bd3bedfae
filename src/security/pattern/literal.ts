import type { Node } from './syntax.ts';

/** A pattern that is plain text between optional anchors: what most are. */
export interface Literal {
  readonly text: string;
  readonly atStart: boolean;
  /** A line feed may follow. */
  readonly atEnd: boolean;
}

/** The pattern as plain text, or null when it is more than that. */
export function literalOf(node: Node): Literal | null {
  const nodes = flatten(node);
  const atStart = isPlace(nodes[0], 'start');
  if (atStart) nodes.shift();
  const atEnd = isPlace(nodes.at(-1), 'end');
  if (atEnd) nodes.pop();
  // What may be nothing says nothing at an open end.
  if (!atStart) while (isOptional(nodes[0])) nodes.shift();
  if (!atEnd) while (isOptional(nodes.at(-1))) nodes.pop();
  const text = literalPrefix(nodes);
  return text.length === nodes.length ? { text: text.join(''), atStart, atEnd } : null;
}

/** Text that every match begins with, when matches are at the start of the name; else null. */
export function anchoredPrefixOf(node: Node): string | null {
  const nodes = flatten(node);
  return isPlace(nodes[0], 'start') ? literalPrefix(nodes.slice(1)).join('') : null;
}

export function matchesLiteral({ text, atStart, atEnd }: Literal, name: string): boolean {
  if (!atEnd) return atStart ? name.startsWith(text) : name.includes(text);
  const end = name.endsWith('\n') ? name.length - 1 : name.length;
  return endsAt(name, text, name.length, atStart) || endsAt(name, text, end, atStart);
}

function endsAt(name: string, text: string, end: number, whole: boolean): boolean {
  return name.endsWith(text, end) && (!whole || text.length === end);
}

function flatten(node: Node): Node[] {
  return node.kind === 'sequence' ? node.nodes.flatMap(flatten) : [node];
}

function literalPrefix(nodes: readonly Node[]): string[] {
  const text: string[] = [];
  for (const node of nodes) {
    const range = node.kind === 'set' && node.set.length === 1 ? node.set[0] : undefined;
    if (range === undefined || range[0] !== range[1]) break;
    text.push(String.fromCodePoint(range[0]));
  }
  return text;
}

function isPlace(node: Node | undefined, place: 'start' | 'end'): boolean {
  return node?.kind === 'place' && node.place === place;
}

function isOptional(node: Node | undefined): boolean {
  return node?.kind === 'repeat' && node.min === 0 && node.node.kind === 'set';
}
