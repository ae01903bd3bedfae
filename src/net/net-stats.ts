import type { CloseReason } from './types.ts';

export const CLOSE_REASONS = [
  'peer',
  'handler',
  'error',
  'input-limit',
  'output-limit',
  'idle',
  'shutdown',
] as const satisfies readonly CloseReason[];

export const REFUSE_REASONS = ['listener-limit', 'ip-limit', 'rate-limit', 'stopping'] as const;
export type RefuseReason = (typeof REFUSE_REASONS)[number];

/** Counters of one listener: plain fields, read at scrape time. Sizes in bytes. */
export class ListenerStats {
  accepted = 0;
  open = 0;
  congested = 0;
  bytesIn = 0;
  bytesOut = 0;
  writes = 0;
  outputPending = 0;
  tlsErrors = 0;
  handlerErrors = 0;
  readonly refused: Record<RefuseReason, number> = {
    'listener-limit': 0,
    'ip-limit': 0,
    'rate-limit': 0,
    stopping: 0,
  };
  readonly closed: Record<CloseReason, number> = {
    peer: 0,
    handler: 0,
    error: 0,
    'input-limit': 0,
    'output-limit': 0,
    idle: 0,
    shutdown: 0,
  };
}
