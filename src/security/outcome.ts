/** What became of a change. */
export type ChangeOutcome =
  | { readonly status: 'ok'; readonly created: boolean }
  /** What it is about is not there. */
  | { readonly status: 'unknown'; readonly what: 'user' | 'namespace' | 'record' }
  | { readonly status: 'invalid'; readonly message: string };

export function invalid(message: string): ChangeOutcome {
  return { status: 'invalid', message };
}

export const CREATED: ChangeOutcome = { status: 'ok', created: true };
export const CHANGED: ChangeOutcome = { status: 'ok', created: false };
