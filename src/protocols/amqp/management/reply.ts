import type { Json } from './json.ts';

/** What a request is answered with. */
export type Reply =
  | { readonly kind: 'json'; readonly status: 200 | 400 | 503; readonly value: unknown }
  /** Rows are made as they are sent. */
  | { readonly kind: 'rows'; readonly rows: Iterable<Json> }
  | { readonly kind: 'empty'; readonly status: 201 | 204; readonly location: string | null }
  | { readonly kind: 'text'; readonly contentType: string; readonly text: string };

export function json(value: unknown, status: 200 | 400 | 503 = 200): Reply {
  return { kind: 'json', status, value };
}

export const rows = (all: Iterable<Json>): Reply => ({ kind: 'rows', rows: all });
export const NO_CONTENT: Reply = { kind: 'empty', status: 204, location: null };
export const CREATED: Reply = { kind: 'empty', status: 201, location: null };

export function createdAt(location: string): Reply {
  return { kind: 'empty', status: 201, location };
}
