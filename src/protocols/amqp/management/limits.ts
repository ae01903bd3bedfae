/** Limits of the management port. Connections beyond them are closed, larger bodies refused with 413. */
export const MANAGEMENT_LIMITS = {
  connectionsMax: 512,
  bodyBytesMax: 16 * 1024 * 1024,
  /** Definitions of a large broker. */
  definitionsBytesMax: 256 * 1024 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 60_000,
  /** Messages of one get, and their payload bytes. */
  getCountMax: 10_000,
  getBytesMax: 64 * 1024 * 1024,
  pageSizeMax: 500,
} as const;
