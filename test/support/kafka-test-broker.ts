import assert from 'node:assert/strict';
import { SystemClock } from '../../src/base/clock.ts';
import { createDeferred } from '../../src/base/deferred.ts';
import type { Deferred } from '../../src/base/deferred.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { CoreBroker } from '../../src/core/core-broker.ts';
import type { CloseReason, Connection, ConnectionHandler } from '../../src/net/types.ts';
import type { ApiCodec } from '../../src/protocols/kafka/codec/api-descriptor.ts';
import { readResponseHeader, writeRequestHeader } from '../../src/protocols/kafka/codec/headers.ts';
import { Reader } from '../../src/protocols/kafka/codec/reader.ts';
import { Writer } from '../../src/protocols/kafka/codec/writer.ts';
import { KAFKA_CONFIG_DEFAULTS } from '../../src/protocols/kafka/config.ts';
import type { KafkaConfig } from '../../src/protocols/kafka/config.ts';
import { KafkaFrontend } from '../../src/protocols/kafka/frontend.ts';
import type { Lease, LogEngine } from '../../src/storage/types.ts';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

/** A logger that remembers its lines. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: string; readonly event: string; readonly fields: LogFields }[] =
    [];

  debug(event: string, _message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'debug', event, fields });
  }

  info(event: string, _message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'info', event, fields });
  }

  warn(event: string, _message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'warn', event, fields });
  }

  error(event: string, _message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'error', event, fields });
  }

  child(): Logger {
    return this;
  }

  of(event: string): readonly LogFields[] {
    return this.lines.filter((line) => line.event === event).map((line) => line.fields);
  }
}

/** A connection without a network: keeps what was written, and can pretend to be congested. */
export class FakeConnection implements Connection {
  readonly id: number;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 9092;
  readonly listener = 'kafka';
  readonly tls = null;
  readonly openedAtMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  outputPending = 0;
  congested = false;
  closedWith: CloseReason | null = null;
  readonly paused = new Set<string>();
  readonly output: Buffer[] = [];
  onOutput: (() => void) | null = null;

  constructor(id: number) {
    this.id = id;
  }

  write(buffer: Buffer, start: number, end: number): void {
    this.output.push(Buffer.from(buffer.subarray(start, end)));
    this.onOutput?.();
  }

  writeShared(buffer: Buffer, start: number, end: number, _lease: Lease | null): void {
    this.write(buffer, start, end);
  }

  pause(reason: string): void {
    this.paused.add(reason);
  }

  resume(reason: string): void {
    this.paused.delete(reason);
  }

  requestFlush(): void {}

  close(reason: CloseReason = 'handler'): void {
    this.closedWith ??= reason;
    this.onOutput?.();
  }

  destroy(reason: CloseReason = 'handler'): void {
    this.close(reason);
  }
}

interface Expected {
  readonly correlationId: number;
  readonly deferred: Deferred<Buffer>;
}

/** A client that speaks the codec over a fake connection. Requests may be sent ahead of responses. */
export class TestClient {
  readonly connection: FakeConnection;
  readonly handler: ConnectionHandler;
  private readonly expected: Expected[] = [];
  private nextCorrelationId = 1;
  private received: Buffer = Buffer.alloc(0);
  /** Correlation ids of responses in the order they came. */
  readonly order: number[] = [];

  constructor(frontend: KafkaFrontend, id: number) {
    this.connection = new FakeConnection(id);
    this.connection.onOutput = () => this.takeOutput();
    this.handler = frontend.accept(this.connection);
  }

  /** Sends a request and resolves with its response; rejects when the connection closes first. */
  async call<Request, Response>(
    codec: ApiCodec<Request, Response>,
    version: number,
    request: Request,
  ): Promise<Response> {
    const correlationId = this.nextCorrelationId++;
    const deferred = createDeferred<Buffer>();
    this.expected.push({ correlationId, deferred });
    this.feed(encodeRequest(codec, version, correlationId, request));
    if (this.connection.closedWith !== null) this.takeOutput();
    const frame = await deferred.promise;
    const reader = new Reader(frame);
    assert.equal(readResponseHeader(reader, codec.descriptor, version), correlationId);
    const response = codec.readResponse(reader, version);
    assert.equal(reader.remaining, 0, 'the response has no bytes left over');
    return response;
  }

  /** Sends a request that gets no response. */
  send<Request, Response>(
    codec: ApiCodec<Request, Response>,
    version: number,
    request: Request,
  ): void {
    this.feed(encodeRequest(codec, version, this.nextCorrelationId++, request));
  }

  /** Presents bytes to the broker as the network would; all must be consumed. */
  feed(bytes: Buffer): void {
    const consumed = this.handler.onData(bytes, 0, bytes.length);
    assert.equal(consumed, bytes.length);
  }

  disconnect(): void {
    this.handler.onClose('peer');
  }

  private takeOutput(): void {
    this.received = Buffer.concat([this.received, ...this.connection.output.splice(0)]);
    while (this.received.length >= 4) {
      const size = this.received.readInt32BE(0);
      if (this.received.length < 4 + size) break;
      const frame = this.received.subarray(4, 4 + size);
      this.received = this.received.subarray(4 + size);
      this.order.push(frame.readInt32BE(0));
      this.expected.shift()?.deferred.resolve(frame);
    }
    if (this.connection.closedWith === null) return;
    for (const { deferred } of this.expected.splice(0)) {
      deferred.reject(new Error('connection closed'));
    }
  }
}

/** One request as a frame. */
export function encodeRequest<Request, Response>(
  codec: ApiCodec<Request, Response>,
  version: number,
  correlationId: number,
  request: Request,
  clientId: string | null = 'test',
): Buffer {
  const writer = new Writer();
  writer.startFrame();
  writeRequestHeader(writer, codec.descriptor, { apiVersion: version, correlationId, clientId });
  codec.writeRequest(writer, request, version);
  writer.endFrame();
  return writer.toBuffer();
}

export interface TestBroker {
  readonly broker: CoreBroker;
  readonly frontend: KafkaFrontend;
  readonly logger: RecordingLogger;
  connect(): TestClient;
  close(): Promise<void>;
}

/** A broker in memory with the Kafka front-end and no network. */
export async function openTestBroker(
  config: Partial<KafkaConfig> = {},
  engine: LogEngine | null = null,
): Promise<TestBroker> {
  const clock = new SystemClock();
  const random = new SeededRandom(1);
  const logger = new RecordingLogger();
  const broker = new CoreBroker({
    engine: engine ?? new MemoryEngine({ clock, random, logger }),
    clock,
    random,
    logger,
  });
  await broker.open();
  const frontend = new KafkaFrontend(broker, { ...KAFKA_CONFIG_DEFAULTS, ...config });
  let connections = 0;
  // The broker's own timers do not keep the process alive; a test that waits for one has nothing else.
  const keepAlive = setInterval(() => {}, 1000);
  return {
    broker,
    frontend,
    logger,
    connect: () => new TestClient(frontend, ++connections),
    close: async () => {
      clearInterval(keepAlive);
      await frontend.close();
      await broker.close('drain');
    },
  };
}
