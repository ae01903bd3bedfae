/** The byte pipe under a connection: a socket, or memory in tests. */
export interface Wire {
  /** Hands all pieces over in order, in one system call when it can; done is called once they need not be kept. */
  send(pieces: readonly Buffer[], done: () => void): void;
  startReading(): void;
  stopReading(): void;
  /** Says to the peer that nothing more comes, after everything sent before. */
  end(): void;
  /** Drops the pipe; onWireClosed follows in a later turn. */
  destroy(): void;
}

/** What a wire tells its connection. */
export interface WireListener {
  /** Where to read into, for a wire that can choose. */
  nextTarget(): Buffer;
  /** size bytes were read into what nextTarget returned before this read. */
  onRead(target: Buffer, size: number): void;
  /** Bytes arrived in a buffer of their own. */
  onChunk(chunk: Buffer): void;
  /** The peer will send nothing more. */
  onPeerEnd(): void;
  /** The pipe is broken; onWireClosed follows. */
  onWireError(error: Error): void;
  /** Nothing touches any buffer any more. Called exactly once. */
  onWireClosed(): void;
}

/** Addresses and security of a wire, known when it was accepted. */
export interface WireInfo {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: { readonly servername: string | null; readonly authorized: boolean } | null;
}
