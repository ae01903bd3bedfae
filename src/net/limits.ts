/** Limits of one connection. Sizes in bytes, times in ms. */
export interface ConnectionLimits {
  /** Output above it makes the connection congested: it is not read from and its handler stops producing. */
  readonly outputHighBytes: number;
  /** Output at or below it ends the congestion. */
  readonly outputLowBytes: number;
  /** Output above it closes the connection ('output-limit'): its handler does not heed congestion. */
  readonly outputBytesMax: number;
  /** Received and not yet consumed bytes above it close the connection ('input-limit'). */
  readonly heldBytesMax: number;
  /** A connection without a byte in either direction for so long is closed ('idle'). Infinity: never. */
  readonly idleTimeoutMs: number;
  /** How long a closing connection may take to hand over its output and to see the peer's end. */
  readonly closeTimeoutMs: number;
}

/** Limits of one listener. A connection above one of them is closed as soon as it is accepted, and counted. */
export interface ListenerLimits extends ConnectionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerIpMax: number;
  /** Sustained rate of accepted connections; bursts of twice a second's worth pass. */
  readonly connectionsPerSecondMax: number;
  /** How long a TLS handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  outputHighBytes: MIB,
  outputLowBytes: MIB / 4,
  outputBytesMax: 128 * MIB,
  heldBytesMax: 128 * MIB,
  idleTimeoutMs: 10 * 60 * 1000,
  closeTimeoutMs: 2000,
  connectionsMax: 10_000,
  connectionsPerIpMax: 10_000,
  connectionsPerSecondMax: 5000,
  handshakeTimeoutMs: 10_000,
  backlog: 1024,
};

/** Bytes that all connections of a broker together may hold unconsumed; the one that would exceed it is closed. */
export const DEFAULT_HELD_BYTES_TOTAL = 512 * MIB;
