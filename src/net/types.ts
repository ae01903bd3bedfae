import type { Lease } from '../storage/types.ts';

/** What one protocol does with one connection. All methods are called in the event loop, never re-entrantly. */
export interface ConnectionHandler {
  /**
   * Bytes [start, end) arrived. Returns how many were consumed; the rest is presented again, with more bytes
   * behind it. The buffer is shared by all connections: copy what must outlive the call.
   */
  onData(buffer: Buffer, start: number, end: number): number;
  /**
   * How many bytes, counted from the first unconsumed one, the handler needs before it can go on (0: any).
   * Lets the transport read a large frame straight into one buffer of that size.
   */
  bytesWanted(): number;
  /** The output fell below its low watermark after having been above the high one. */
  onDrain(): void;
  /** The peer or the network ended the connection, or close() finished. Called exactly once. */
  onClose(reason: CloseReason): void;
  /**
   * The broker is stopping: finish what is under way, tell the peer if the protocol can, accept nothing new.
   * The transport closes the connection as soon as busy() is false and the output is sent, or at its deadline.
   */
  onShutdown(): void;
  /** While stopping: is something still under way that will be written? Absent means no. */
  busy?(): boolean;
  /** The output is about to be written, after requestFlush or write: the moment to write what was collected elsewhere. */
  onFlush?(): void;
}

export type CloseReason =
  'peer' | 'handler' | 'error' | 'input-limit' | 'output-limit' | 'idle' | 'shutdown';

/** The connection as its handler sees it. Output is collected and written once per turn of the event loop. */
export interface Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The local address and port that the peer reached: the default for advertised addresses. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly listener: string;
  readonly tls: { readonly servername: string | null; readonly authorized: boolean } | null;
  readonly openedAtMs: number;
  bytesIn: number;
  bytesOut: number;
  /** Bytes accepted by write and not yet taken by the kernel. */
  readonly outputPending: number;
  /** True while output is above its high watermark: produce no more for this peer until onDrain. */
  readonly congested: boolean;
  /** Copies [start, end) into the output. For small pieces. */
  write(buffer: Buffer, start: number, end: number): void;
  /** Sends [start, end) without copying (when large); the lease, if any, is retained until the kernel has the bytes. */
  writeShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void;
  /** Stops and resumes reading from the peer; nestable by distinct reasons. */
  pause(reason: 'output' | 'in-flight' | 'storage' | 'quota'): void;
  resume(reason: 'output' | 'in-flight' | 'storage' | 'quota'): void;
  /** Has onFlush called at the end of this turn. */
  requestFlush(): void;
  /** Sends what was written, then closes. */
  close(reason?: CloseReason): void;
  /** Closes at once. */
  destroy(reason?: CloseReason): void;
}
