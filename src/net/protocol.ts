import type { Broker } from '../core/broker.ts';
import type { MetricFamily } from '../telemetry/metric-family.ts';
import type { Connection, ConnectionHandler } from './types.ts';

export type { MetricFamily } from '../telemetry/metric-family.ts';

/** One protocol of one broker: makes a handler per accepted connection. */
export interface Frontend {
  accept(connection: Connection): ConnectionHandler;
  metrics(): Iterable<MetricFamily>;
  /** Addresses that this front-end's listeners were bound to, told once before the first accept. */
  onBound(
    listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[],
  ): void;
  close(): Promise<void>;
}

/** What server/ knows of a protocol. Config is the protocol's own, already validated, part of the configuration. */
export interface ProtocolModule<Config> {
  readonly scheme: string;
  readonly defaultPort: number;
  createFrontend(broker: Broker, config: Config): Frontend;
}
