/** Limits of the admin port. Connections beyond them are closed, larger bodies answered with 'too-large'. */
export const ADMIN_LIMITS = {
  connectionsMax: 256,
  bodyBytesMax: 1024 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 5_000,
} as const;
