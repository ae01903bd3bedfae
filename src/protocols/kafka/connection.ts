import { RingBuffer } from '../../base/ring-buffer.ts';
import { CallbackTimeout } from '../../base/timer-wheel.ts';
import type { CloseReason, Connection, ConnectionHandler } from '../../net/types.ts';
import { ANONYMOUS } from '../../security/principal.ts';
import type { Principal } from '../../security/principal.ts';
import { CodecError } from './codec/codec-error.ts';
import { Reader } from './codec/reader.ts';
import type { KafkaFrontend } from './frontend.ts';
import { API_VERSIONS_KEY, respondUnsupportedApiVersions } from './handlers/api-versions.ts';
import type { ApiHandler, BodyEncoder } from './handlers/handler.ts';
import { ClientIdCache, describeBadSize, FRAME_HEADER_BYTES_MIN } from './request-header.ts';
import { KafkaRequest } from './request.ts';
import type { RequestHeader, RequestOwner } from './request.ts';
import type { KafkaServices } from './services.ts';

/*
 * frame     = size:int32 header body
 * header v1 = api-key:int16 api-version:int16 correlation-id:int32 client-id:string?
 * header v2 = header v1, tagged fields            (client-id stays a string with a 2-byte length)
 *
 * Requests of a connection are answered in the order they came; they may be worked on at the same time:
 *
 *   pending:  [ answered, waits its turn | under way | under way | answered, held ]
 *               ^ head: its response leaves, then the next one's
 */

const PRODUCE_KEY = 0;
/** Requests that wait for other clients, and so do not hold up a stopping broker. */
const JOIN_GROUP_KEY = 11;
const SYNC_GROUP_KEY = 14;

/** One Kafka client. */
export class KafkaConnection implements ConnectionHandler, RequestOwner {
  readonly services: KafkaServices;
  readonly principal: Principal = ANONYMOUS;
  /** What the client said about itself in ApiVersions. */
  software: string | null = null;
  private readonly frontend: KafkaFrontend;
  private readonly connection: Connection;
  private readonly reader = new Reader(Buffer.alloc(0));
  private readonly header: RequestHeader;
  private readonly clientIds = new ClientIdCache();
  private readonly pending = new RingBuffer<KafkaRequest>(8);
  private pendingBytes = 0;
  private wanted = 0;
  private paused = false;
  private sending = false;
  private closed = false;
  private draining = false;
  private throttled = false;
  private readonly throttle = new CallbackTimeout(() => this.endThrottle());

  constructor(frontend: KafkaFrontend, connection: Connection) {
    this.frontend = frontend;
    this.services = frontend.services;
    this.connection = connection;
    this.header = { apiKey: 0, version: 0, correlationId: 0, clientId: '' };
  }

  get id(): number {
    return this.connection.id;
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  get listener(): string {
    return this.connection.listener;
  }

  get open(): boolean {
    return !this.closed;
  }

  onData(buffer: Buffer, start: number, end: number): number {
    let at = start;
    this.wanted = 0;
    while (end - at >= 4) {
      if (this.closed) return end - start;
      if (this.paused || this.throttled || this.draining || this.connection.congested) break;
      const size = buffer.readInt32BE(at);
      if (size < FRAME_HEADER_BYTES_MIN || size > this.services.config.maxRequestBytes) {
        this.refuse(describeBadSize(buffer, at, end, this.services.config.maxRequestBytes));
        return end - start;
      }
      if (end - at - 4 < size) {
        this.wanted = size + 4;
        break;
      }
      this.onFrame(buffer, at + 4, at + 4 + size);
      at += 4 + size;
    }
    return this.closed ? end - start : at - start;
  }

  bytesWanted(): number {
    return this.wanted;
  }

  onDrain(): void {
    this.sendAnswers();
  }

  onClose(_reason: CloseReason): void {
    this.closed = true;
    this.services.metrics.connections--;
    this.services.broker.timers.cancel(this.throttle);
    for (let request = this.pending.shift(); request; request = this.pending.shift()) {
      const parked = request.parked;
      request.parked = null;
      request.turn = null;
      if (request.held !== null) this.frontend.giveBack(request.held);
      request.held = null;
      parked?.onInterrupted();
    }
    this.services.broker.groups.connectionClosed(this.connection.id);
    this.frontend.forget(this);
  }

  onShutdown(): void {
    this.draining = true;
    // An interrupted request answers at once, which removes it: walk over a copy.
    const parked: KafkaRequest[] = [];
    for (let i = 0; i < this.pending.length; i++) {
      const request = this.pending.at(i);
      if (request !== undefined && request.parked !== null) parked.push(request);
    }
    for (const request of parked) request.parked?.onInterrupted();
  }

  busy(): boolean {
    for (let i = 0; i < this.pending.length; i++) {
      const key = this.pending.at(i)?.apiKey;
      if (key !== JOIN_GROUP_KEY && key !== SYNC_GROUP_KEY) return true;
    }
    return false;
  }

  /** Publishers wait while too much is to be written. */
  pauseForStorage(): void {
    this.connection.pause('storage');
  }

  resumeAfterStorage(): void {
    this.connection.resume('storage');
  }

  advertisedAddress(): { readonly host: string; readonly port: number } {
    return this.frontend.advertisedAddress(this.connection);
  }

  answered<Body>(request: KafkaRequest, encode: BodyEncoder<Body>, body: Body): void {
    if (this.closed || request.done) return;
    const isHead = this.pending.peek() === request;
    const writer = isHead ? this.frontend.scratch : this.frontend.borrow();
    try {
      const api = request.handler.api;
      writer.startFrame();
      writer.int32(request.correlationId);
      if (api.responseHeaderVersion(request.version) === 1) writer.uvarint(0);
      encode(writer, body, request.version);
      writer.endFrame();
    } catch (error) {
      writer.reset();
      this.fail(request, `response cannot be encoded: ${messageOf(error)}`);
      return;
    }
    request.done = true;
    if (!isHead) {
      request.held = writer;
      return;
    }
    writer.emit(this.connection);
    this.retire();
    this.sendAnswers();
  }

  finished(request: KafkaRequest): void {
    if (this.closed || request.done) return;
    request.done = true;
    this.sendAnswers();
  }

  turnWanted(request: KafkaRequest): void {
    if (this.pending.peek() === request) this.sendAnswers();
  }

  fail(request: KafkaRequest, why: string): void {
    if (this.closed) return;
    this.refuse(`${request.handler.api.name} v${request.version}: ${why}`);
  }

  holdBack(ms: number): void {
    if (this.closed) return;
    this.throttled = true;
    this.connection.pause('quota');
    this.services.broker.timers.start(this.throttle, ms);
  }

  /** Sends what may go now: answers in order, up to the first request that has none yet. */
  private sendAnswers(): void {
    if (this.sending || this.closed) return;
    this.sending = true;
    for (let head = this.pending.peek(); head !== undefined && !this.closed;) {
      if (head.done) {
        const held = head.held;
        if (held !== null) {
          held.emit(this.connection);
          this.frontend.giveBack(held);
          head.held = null;
        }
        this.retire();
      } else {
        const turn = head.turn;
        if (turn === null || this.connection.congested) break;
        head.turn = null;
        turn.onTurn();
        if (this.pending.peek() === head && !head.done) break;
      }
      head = this.pending.peek();
    }
    this.sending = false;
  }

  private endThrottle(): void {
    this.throttled = false;
    this.connection.resume('quota');
  }

  /** The oldest request is over. */
  private retire(): void {
    const request = this.pending.shift();
    if (request === undefined) return;
    this.pendingBytes -= request.frameBytes;
    const { broker, metrics } = this.services;
    metrics.times.record(request.apiKey, broker.clock.monotonicMs() - request.arrivedMs);
    if (!this.paused) return;
    const config = this.services.config;
    const roomAgain =
      this.pending.length * 2 <= config.maxInFlightRequests &&
      this.pendingBytes * 2 <= config.maxInFlightBytes;
    if (!roomAgain) return;
    this.paused = false;
    this.connection.resume('in-flight');
  }

  private onFrame(buffer: Buffer, start: number, end: number): void {
    const header = this.header;
    const reader = this.reader;
    reader.reset(buffer, start, end);
    let handler: ApiHandler | null = null;
    try {
      header.apiKey = reader.int16('apiKey');
      header.version = reader.int16('apiVersion');
      header.correlationId = reader.int32('correlationId');
      header.clientId = this.clientIds.read(reader);
      handler = this.frontend.handlerOf(header.apiKey);
      if (handler === null) return this.refuseApi(header);
      if (header.version < handler.minVersion || header.version > handler.maxVersion) {
        return this.refuseVersion(handler, header, end - start);
      }
      if (handler.api.requestHeaderVersion(header.version) === 2) reader.skipTags();
      this.services.metrics.countRequest(header.apiKey, header.version);
      const request = this.begin(handler, header, end - start);
      handler.handle(request, reader, header.version);
      if (header.apiKey === PRODUCE_KEY) this.frontend.checkStorage(this);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      const name = handler?.api.name ?? `API ${header.apiKey}`;
      this.refuse(`malformed ${name} v${header.version} request: ${error.message}`);
    }
  }

  private begin(handler: ApiHandler, header: RequestHeader, frameBytes: number): KafkaRequest {
    const request = new KafkaRequest(this, handler, header, frameBytes);
    this.pending.push(request);
    this.pendingBytes += frameBytes;
    const config = this.services.config;
    const full =
      this.pending.length >= config.maxInFlightRequests ||
      this.pendingBytes >= config.maxInFlightBytes;
    if (full && !this.paused) {
      this.paused = true;
      this.connection.pause('in-flight');
    }
    return request;
  }

  /** ApiVersions answers in a form that every client reads; other responses have no place for the error in general. */
  private refuseVersion(handler: ApiHandler, header: RequestHeader, frameBytes: number): void {
    this.services.metrics.unsupportedRequests++;
    if (header.apiKey === API_VERSIONS_KEY) {
      respondUnsupportedApiVersions(this.begin(handler, { ...header, version: 0 }, frameBytes));
      return;
    }
    this.refuse(
      `${handler.api.name} v${header.version} is not served ` +
        `(versions ${handler.minVersion} to ${handler.maxVersion} are)`,
    );
  }

  private refuseApi(header: RequestHeader): void {
    this.services.metrics.unsupportedRequests++;
    this.refuse(`API ${header.apiKey} v${header.version} is not served`);
  }

  /** Closes a connection whose client cannot be answered, and says why. */
  private refuse(why: string): void {
    this.services.metrics.malformedRequests++;
    this.services.broker.logger.warn('kafka.request.refused', 'closing a connection', {
      why,
      listener: this.connection.listener,
      remote: `${this.connection.remoteAddress}:${this.connection.remotePort}`,
      clientId: this.header.clientId,
    });
    this.closed = true;
    this.connection.close('handler');
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
