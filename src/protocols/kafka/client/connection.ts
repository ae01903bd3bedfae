import type { Socket } from 'node:net';
import { RingBuffer } from '../../../base/ring-buffer.ts';
import { connectionLost, dial, notAnswered, type DialTls } from '../../../net/dial.ts';
import type { ApiCodec, ApiDescriptor } from '../codec/api-descriptor.ts';
import {
  API_VERSIONS,
  readApiVersionsResponse,
  writeApiVersionsRequest,
} from '../codec/generated/api-versions.ts';
import { readResponseHeader, writeRequestHeader } from '../codec/headers.ts';
import { Reader } from '../codec/reader.ts';
import { Writer, type Sink } from '../codec/writer.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { refused } from './client-error.ts';
import { FrameAssembler } from './frame-assembler.ts';

export interface ConnectionSettings {
  readonly clientId: string;
  readonly tls: DialTls | null;
  /** For connecting, and for an answer beyond what the request itself waits. */
  readonly timeoutMs: number;
}

/** What is called with the answer to a request: one of the two, once. */
export interface ReplyHandler<Response> {
  onReply(response: Response): void;
  onFailure(error: Error): void;
}

interface Pending {
  readonly api: ApiDescriptor;
  readonly version: number;
  readonly correlationId: number;
  readonly deadlineMs: number;
  readonly read: (reader: Reader, version: number) => void;
  readonly onFailure: (error: Error) => void;
}

/** Versions that this client asks for at most: above, topics are named by id. */
const VERSION_CAPS: Readonly<Record<string, number>> = {
  Produce: 12,
  Fetch: 12,
  OffsetCommit: 9,
  OffsetFetch: 9,
};

const DEADLINE_CHECK_MS = 500;
const NOTHING = Buffer.alloc(0);

/** One connection to one broker. Requests are answered in order; several may be under way. */
export class KafkaConnection {
  readonly address: string;
  private readonly socket: Socket;
  private readonly settings: ConnectionSettings;
  private readonly versions = new Map<number, { min: number; max: number }>();
  private readonly pending = new RingBuffer<Pending>(64);
  private readonly writer = new Writer();
  private readonly reader = new Reader(NOTHING);
  private readonly sink: Sink;
  private readonly deadlineTimer: NodeJS.Timeout;
  private correlationId = 0;
  private closedBy: Error | null = null;

  static async open(
    host: string,
    port: number,
    settings: ConnectionSettings,
  ): Promise<KafkaConnection> {
    const socket = await dial(host, port, settings);
    const connection = new KafkaConnection(socket, `${host}:${port}`, settings);
    try {
      await connection.negotiate();
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  private constructor(socket: Socket, address: string, settings: ConnectionSettings) {
    this.socket = socket;
    this.address = address;
    this.settings = settings;
    this.sink = {
      write: (buffer, start, end) => {
        socket.write(Buffer.from(buffer.subarray(start, end)));
      },
      writeShared: (buffer, start, end) => {
        socket.write(buffer.subarray(start, end));
      },
    };
    const frames = new FrameAssembler((buffer, start, end) => this.onFrame(buffer, start, end));
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch (error) {
        this.fail(connectionLost(address, error));
      }
    });
    socket.on('error', (error) => this.fail(connectionLost(address, error)));
    socket.on('close', () => this.fail(connectionLost(address)));
    this.deadlineTimer = setInterval(() => this.checkDeadline(), DEADLINE_CHECK_MS);
    this.deadlineTimer.unref();
  }

  get closed(): boolean {
    return this.closedBy !== null;
  }

  /** waitMs: how long the request itself may wait at the broker, as a fetch does. */
  request<Request, Response>(
    api: ApiCodec<Request, Response>,
    body: Request,
    waitMs = 0,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.send(api, body, { onReply: resolve, onFailure: reject }, waitMs);
    });
  }

  /** Calls back when the kernel has everything that was sent so far, or the connection broke. */
  afterWrite(callback: () => void): void {
    this.socket.write(NOTHING, callback);
  }

  /** The same without a promise, for requests by the thousand. handler null: no answer comes (acks=0). */
  send<Request, Response>(
    api: ApiCodec<Request, Response>,
    body: Request,
    handler: ReplyHandler<Response> | null,
    waitMs = 0,
  ): void {
    const version = this.closedBy === null ? this.versionFor(api.descriptor) : this.closedBy;
    if (typeof version !== 'number') {
      handler?.onFailure(version);
      return;
    }
    this.write(api.descriptor, version, (writer) => api.writeRequest(writer, body, version));
    if (handler === null) return;
    this.expect(api.descriptor, version, waitMs, {
      read: (reader, readVersion) => handler.onReply(api.readResponse(reader, readVersion)),
      onFailure: (error) => handler.onFailure(error),
    });
  }

  close(): void {
    this.fail(connectionLost(this.address));
  }

  private versionFor(api: ApiDescriptor): number | Error {
    const range = this.versions.get(api.key);
    const max = Math.min(
      api.maxVersion,
      VERSION_CAPS[api.name] ?? api.maxVersion,
      range?.max ?? -1,
    );
    if (range === undefined || max < Math.max(api.minVersion, range.min)) {
      return refused(`${api.name} at ${this.address}`, KAFKA_ERROR.UNSUPPORTED_VERSION);
    }
    return max;
  }

  private write(api: ApiDescriptor, version: number, body: (writer: Writer) => void): void {
    const { writer } = this;
    writer.startFrame();
    writeRequestHeader(writer, api, {
      apiVersion: version,
      correlationId: this.correlationId,
      clientId: this.settings.clientId,
    });
    body(writer);
    writer.endFrame();
    this.socket.cork();
    writer.emit(this.sink);
    this.socket.uncork();
  }

  private expect(
    api: ApiDescriptor,
    version: number,
    waitMs: number,
    handler: Pick<Pending, 'read' | 'onFailure'>,
  ): void {
    this.pending.push({
      api,
      version,
      correlationId: this.correlationId,
      deadlineMs: performance.now() + waitMs + this.settings.timeoutMs,
      ...handler,
    });
    this.correlationId = (this.correlationId + 1) & 0x7fff_ffff;
  }

  private onFrame(buffer: Buffer, start: number, end: number): void {
    const pending = this.pending.shift();
    if (pending === undefined) throw new Error('an answer to no request');
    this.reader.reset(buffer, start, end);
    const correlationId = readResponseHeader(this.reader, pending.api, pending.version);
    if (correlationId !== pending.correlationId) throw new Error('an answer out of order');
    try {
      pending.read(this.reader, pending.version);
    } catch (error) {
      pending.onFailure(error as Error);
      throw error;
    }
  }

  /** Learns which versions the broker speaks: with the newest request, or with version 0 when that is too new. */
  private async negotiate(): Promise<void> {
    const software = { clientSoftwareName: 'lyrebird', clientSoftwareVersion: '0' };
    const ask = (version: number) =>
      new Promise<ReturnType<typeof readApiVersionsResponse>>((resolve, reject) => {
        this.write(API_VERSIONS, version, (writer) =>
          writeApiVersionsRequest(writer, software, version),
        );
        this.expect(API_VERSIONS, version, 0, {
          read: (reader, readVersion) => {
            // A refusal of the version itself comes in the layout of version 0.
            const code = reader.buffer.readInt16BE(reader.position);
            const layout = code === KAFKA_ERROR.UNSUPPORTED_VERSION ? 0 : readVersion;
            resolve(readApiVersionsResponse(reader, layout));
          },
          onFailure: reject,
        });
      });
    let response = await ask(3);
    if (response.errorCode === KAFKA_ERROR.UNSUPPORTED_VERSION) response = await ask(0);
    if (response.errorCode !== 0)
      throw refused(`ApiVersions at ${this.address}`, response.errorCode);
    for (const { apiKey, minVersion, maxVersion } of response.apiKeys) {
      this.versions.set(apiKey, { min: minVersion, max: maxVersion });
    }
  }

  private checkDeadline(): void {
    const oldest = this.pending.peek();
    if (oldest === undefined || performance.now() < oldest.deadlineMs) return;
    this.fail(notAnswered(oldest.api.name, this.address));
  }

  private fail(error: Error): void {
    if (this.closedBy !== null) return;
    this.closedBy = error;
    clearInterval(this.deadlineTimer);
    this.socket.destroy();
    for (
      let pending = this.pending.shift();
      pending !== undefined;
      pending = this.pending.shift()
    ) {
      pending.onFailure(error);
    }
  }
}
