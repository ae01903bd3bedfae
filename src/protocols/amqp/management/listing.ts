import { Pattern } from '../../../security/pattern/pattern.ts';
import type { Call } from './call.ts';
import { badRequest, HttpError } from './http-error.ts';
import { isObject, type Json } from './json.ts';
import { MANAGEMENT_LIMITS } from './limits.ts';
import { json, rows, type Reply } from './reply.ts';

/** How the objects of a list are shown. Only those that are sent are. */
export interface ListingOptions<T> {
  readonly render: (object: T) => Json;
  /** What a filter by name looks at. */
  readonly name: (object: T) => string;
  /** Values to sort by that can be had without rendering. */
  readonly sortKey?: (object: T, column: string) => string | number | boolean | null | undefined;
}

const PAGE_SIZE = 100;

/**
 * Answers a list with what the query asks for: page, page_size, name, use_regex, sort, sort_reverse, columns. Objects
 * come in their usual order.
 */
export function listing<T>(call: Call, objects: readonly T[], options: ListingOptions<T>): Reply {
  const columns = columnsOf(call);
  const render = (object: T): Json => pick(options.render(object), columns);
  const ordered = sorted(call, filtered(call, objects, options), options);
  const page = pageOf(call);
  if (page === null) return rows(lazily(ordered, render));
  const { number, size } = page;
  const pages = Math.max(1, Math.ceil(ordered.length / size));
  if (number > pages) {
    throw new HttpError(
      400,
      'page_out_of_range',
      `Page out of range, page: ${number} page size: ${size}, len: ${ordered.length}`,
    );
  }
  const shown = ordered.slice((number - 1) * size, number * size);
  return json({
    filtered_count: ordered.length,
    item_count: shown.length,
    items: shown.map(render),
    page: number,
    page_count: pages,
    page_size: size,
    total_count: objects.length,
  });
}

/** One object with the columns that were asked for. */
export function single(call: Call, object: Json): Reply {
  return json(pick(object, columnsOf(call)));
}

function* lazily<T>(objects: readonly T[], render: (object: T) => Json): Iterable<Json> {
  for (const object of objects) yield render(object);
}

function filtered<T>(call: Call, objects: readonly T[], { name }: ListingOptions<T>): readonly T[] {
  const wanted = call.query('name');
  if (wanted === null || wanted === '') return objects;
  if (call.isTrue('use_regex')) {
    const pattern = Pattern.compile(wanted);
    if (!(pattern instanceof Pattern)) throw badRequest(`invalid regular expression: ${wanted}`);
    return objects.filter((object) => pattern.matches(name(object)));
  }
  const lower = wanted.toLowerCase();
  return objects.filter((object) => name(object).toLowerCase().includes(lower));
}

function sorted<T>(
  call: Call,
  objects: readonly T[],
  { render, sortKey }: ListingOptions<T>,
): readonly T[] {
  const column = call.query('sort');
  const isReverse = call.isTrue('sort_reverse');
  if (column === null || column === '') return isReverse ? [...objects].reverse() : objects;
  const keyed = objects.map((object) => {
    const key = sortKey?.(object, column);
    return { object, key: key === undefined ? at(render(object), column.split('.')) : key };
  });
  const sign = isReverse ? -1 : 1;
  keyed.sort((a, b) => sign * compare(a.key, b.key));
  return keyed.map(({ object }) => object);
}

/** Numbers before text, and what is not there first. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = rank(a);
  const right = rank(b);
  if (left !== right) return left - right;
  const textA = String(a);
  const textB = String(b);
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}

function rank(value: unknown): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? 1 : 2;
}

function pageOf(call: Call): { readonly number: number; readonly size: number } | null {
  const page = call.query('page');
  const pageSize = call.query('page_size');
  if (page === null && pageSize === null) return null;
  const number = naturalOf(page, 1, 'page');
  const size = naturalOf(pageSize, PAGE_SIZE, 'page_size');
  if (size > MANAGEMENT_LIMITS.pageSizeMax) {
    const most = MANAGEMENT_LIMITS.pageSizeMax;
    throw badRequest(`page_size must be at most ${most}`);
  }
  return { number, size };
}

function naturalOf(text: string | null, fallback: number, name: string): number {
  if (text === null || text === '') return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw badRequest(`${name} must be a positive integer`);
}

function columnsOf(call: Call): readonly (readonly string[])[] | null {
  const columns = call.query('columns');
  if (columns === null || columns === '') return null;
  return columns.split(',').map((column) => column.split('.'));
}

/** Members named by dotted paths; all of them when nothing is asked for. */
function pick(object: Json, columns: readonly (readonly string[])[] | null): Json {
  if (columns === null) return object;
  const entries = Object.entries(object).flatMap(([name, value]) => {
    const below = columns.filter(([first]) => first === name).map(([, ...rest]) => rest);
    if (below.length === 0) return [];
    if (below.some((rest) => rest.length === 0)) return [[name, value] as const];
    if (Array.isArray(value)) {
      return [
        [name, value.map((part: unknown) => (isObject(part) ? pick(part, below) : part))] as const,
      ];
    }
    return isObject(value) ? [[name, pick(value, below)] as const] : [];
  });
  return Object.fromEntries(entries);
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return found;
}
