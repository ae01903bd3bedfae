import type { AmqpFrontend } from '../frontend.ts';

/** A listener of the server, under the name that RabbitMQ's tools know for its protocol. */
export interface ManagedListener {
  /** amqp, amqp/ssl, http, http/prometheus, or another protocol's own name. */
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  /** Of its certificate, ms since the Unix epoch; null without TLS. */
  readonly certificateExpiresMs: number | null;
}

/** What the management interface needs of the server around it. Everything is read when a request asks. */
export interface ManagementPorts {
  readonly frontend: AmqpFrontend;
  /** As RabbitMQ's tools name a node: rabbit@host. */
  readonly nodeName: string;
  /** Version of the broker itself. */
  readonly version: string;
  readonly startedAtMs: number;
  /** Where data is kept, for people. */
  readonly dataFolder: string;
  listeners(): readonly ManagedListener[];
}
