import type { Broker } from '../../core/broker.ts';
import { allowAll } from '../../security/authorizer.ts';
import type { QuotaKind } from '../../core/quota/quota-entity.ts';
import type { Operation, ResourceType } from '../../security/authorizer.ts';
import type { Principal } from '../../security/principal.ts';
import type { Writer } from './codec/writer.ts';
import type { KafkaConfig } from './config.ts';
import type {
  ApiHandler,
  BodyEncoder,
  Parked,
  RequestContext,
  TurnListener,
} from './handlers/handler.ts';
import type { KafkaServices } from './services.ts';

/** What a request needs of its connection. */
export interface RequestOwner {
  readonly id: number;
  readonly services: KafkaServices;
  readonly principal: Principal;
  readonly remoteAddress: string;
  readonly open: boolean;
  advertisedAddress(): { readonly host: string; readonly port: number };
  /** The request has its answer, or ended without one. */
  answered<Body>(request: KafkaRequest, encode: BodyEncoder<Body>, body: Body): void;
  finished(request: KafkaRequest): void;
  /** The request wants its turn. */
  turnWanted(request: KafkaRequest): void;
  fail(request: KafkaRequest, why: string): void;
  /** Reads nothing more from the client for a while. */
  holdBack(ms: number): void;
}

/** One request between its header and its response; see RequestContext. */
export class KafkaRequest implements RequestContext {
  readonly owner: RequestOwner;
  readonly handler: ApiHandler;
  readonly clientId: string;
  readonly correlationId: number;
  readonly version: number;
  /** Size of the request's frame, counted against the connection's limit while it is under way. */
  readonly frameBytes: number;
  /** When it was read (ms, monotonic). */
  readonly arrivedMs: number;
  done = false;
  /** The encoded response, while earlier requests are not answered yet. */
  held: Writer | null = null;
  turn: TurnListener | null = null;
  parked: Parked | null = null;

  constructor(owner: RequestOwner, handler: ApiHandler, header: RequestHeader, frameBytes: number) {
    this.owner = owner;
    this.handler = handler;
    this.clientId = header.clientId;
    this.correlationId = header.correlationId;
    this.version = header.version;
    this.frameBytes = frameBytes;
    this.arrivedMs = owner.services.broker.clock.monotonicMs();
  }

  get services(): KafkaServices {
    return this.owner.services;
  }

  get broker(): Broker {
    return this.owner.services.broker;
  }

  get config(): KafkaConfig {
    return this.owner.services.config;
  }

  get namespace(): string {
    return this.owner.services.namespace;
  }

  get principal(): Principal {
    return this.owner.principal;
  }

  get connectionId(): number {
    return this.owner.id;
  }

  get clientHost(): string {
    return this.owner.remoteAddress;
  }

  get apiKey(): number {
    return this.handler.api.key;
  }

  get open(): boolean {
    return this.owner.open;
  }

  allows(operation: Operation, resource: ResourceType, name: string): boolean {
    const services = this.owner.services;
    const authorizer = services.broker.authorizer;
    // Asked per partition: spares the object.
    if (authorizer === allowAll || authorizer.isUnrestricted?.(this.owner.principal) === true) {
      return true;
    }
    return authorizer.allows({
      principal: this.owner.principal,
      host: this.owner.remoteAddress,
      operation,
      resource,
      namespace: services.namespace,
      name,
    });
  }

  meter(kind: QuotaKind, amount: number): number {
    const quotas = this.owner.services.broker.quotas;
    const ms = quotas.throttleMs(this.owner.principal, this.clientId, kind, amount);
    if (ms > 0) this.owner.holdBack(ms);
    return ms;
  }

  advertisedAddress(): { readonly host: string; readonly port: number } {
    return this.owner.advertisedAddress();
  }

  whenTurn(listener: TurnListener): void {
    this.turn = listener;
    this.owner.turnWanted(this);
  }

  park(parked: Parked | null): void {
    this.parked = parked;
  }

  respond<Body>(encode: BodyEncoder<Body>, body: Body): void {
    this.parked = null;
    this.owner.answered(this, encode, body);
  }

  respondNothing(): void {
    this.parked = null;
    this.owner.finished(this);
  }

  close(why: string): void {
    this.owner.fail(this, why);
  }
}

/** The fields of a request's header that outlive it. */
export interface RequestHeader {
  apiKey: number;
  version: number;
  correlationId: number;
  clientId: string;
}
