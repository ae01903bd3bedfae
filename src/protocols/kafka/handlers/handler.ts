import type { Broker } from '../../../core/broker.ts';
import type { QuotaKind } from '../../../core/quota/quota-entity.ts';
import type { Operation, ResourceType } from '../../../security/authorizer.ts';
import type { Principal } from '../../../security/principal.ts';
import type { KafkaConfig } from '../config.ts';
import type { KafkaServices } from '../services.ts';
import type { ApiDescriptor } from '../codec/api-descriptor.ts';
import type { Reader } from '../codec/reader.ts';
import type { Writer } from '../codec/writer.ts';

/**
 * One API of the protocol. Handlers hold no state of their own: what outlives a request belongs to the broker
 * or to the front-end. They run in the event loop and answer through the context, at once or later, exactly once.
 */
export interface ApiHandler {
  /** Key, name and flexible versions, from the codec. */
  readonly api: ApiDescriptor;
  /** The versions that are served. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Set when ApiVersions tells a wider range than is served; see produce.ts for the one reason. */
  readonly advertisedMinVersion?: number;
  /**
   * Handles one request. The reader stands at the request's body; its bytes are valid during this call only:
   * copy `bytes` fields that must outlive it (strings are copies already). Throwing means a malformed request:
   * the connection is closed with a log line.
   */
  handle(context: RequestContext, reader: Reader, version: number): void;
}

/** Writes a response body; the generated encoders have this shape. */
export type BodyEncoder<Body> = (writer: Writer, body: Body, version: number) => void;

/** Told when a request's turn to answer has come. */
export interface TurnListener {
  onTurn(): void;
}

/** Something that keeps a request waiting on purpose: a long poll. */
export interface Parked {
  /** The connection is gone or the broker stops: stop waiting; answer with what is there if the context is open. */
  onInterrupted(): void;
}

/** One request under way, from its header to its response. */
export interface RequestContext {
  readonly broker: Broker;
  readonly config: KafkaConfig;
  /** What the handlers of the front-end share. */
  readonly services: KafkaServices;
  /** Names that the request uses live in this namespace. */
  readonly namespace: string;
  readonly principal: Principal;
  readonly connectionId: number;
  /** Address of the peer, without port. */
  readonly clientHost: string;
  /** '' when the client sent none. */
  readonly clientId: string;
  readonly correlationId: number;
  readonly apiKey: number;
  readonly version: number;
  /** False once the connection ended: nothing can be sent any more; answering then is harmless. */
  readonly open: boolean;
  /** Asks the authorizer for this connection's principal. */
  allows(operation: Operation, resource: ResourceType, name: string): boolean;
  /**
   * Counts what the client used against its quotas. Over them, nothing more is read from it for a while: the ms that
   * the response tells as its throttle time, else 0.
   */
  meter(kind: QuotaKind, amount: number): number;
  /** Address told to clients: what this client reached, unless configured. */
  advertisedAddress(): { readonly host: string; readonly port: number };
  /**
   * Calls the listener when every earlier request of the connection was answered and the peer takes output: what is
   * large is best put together then. At once when that is so already. Not called any more once the connection ended.
   */
  whenTurn(listener: TurnListener): void;
  /** Says what the request is waiting for (null: nothing any more), so that it can be interrupted. */
  park(parked: Parked | null): void;
  /** Answers. Encodes now; the bytes leave when every earlier request of the connection was answered. */
  respond<Body>(encode: BodyEncoder<Body>, body: Body): void;
  /** Ends the request without a response (Produce with acks=0). */
  respondNothing(): void;
  /** The response cannot carry the error: logs why and closes the connection. */
  close(why: string): void;
}
