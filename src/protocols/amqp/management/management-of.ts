import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import type { Frontend } from '../../../net/protocol.ts';
import { AmqpFrontend } from '../frontend.ts';
import { Management } from './management.ts';
import type { ManagedListener } from './ports.ts';

/** What the server tells of itself. */
export interface ServerFacts {
  readonly version: string;
  readonly startedAtMs: number;
  readonly dataFolder: string;
  listeners(): readonly {
    readonly scheme: string;
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    readonly certificateExpiresMs: number | null;
  }[];
}

/** What requests to the broker of an AMQP front-end work on. */
export function managementOf(frontend: Frontend, facts: ServerFacts): Management {
  assert(frontend instanceof AmqpFrontend, 'the front-end of AMQP');
  const { version, startedAtMs, dataFolder } = facts;
  return new Management({
    frontend,
    // Tools take the part before the @ for granted.
    nodeName: `rabbit@${hostname().split('.')[0] ?? 'localhost'}`,
    version,
    startedAtMs,
    dataFolder,
    listeners: () =>
      facts
        .listeners()
        .map(({ scheme, host, port, tls, certificateExpiresMs }): ManagedListener => ({
          protocol: protocolName(scheme, tls),
          address: host,
          port,
          tls,
          certificateExpiresMs,
        })),
  });
}

/** What RabbitMQ's tools call the protocol of a listener. */
function protocolName(scheme: string, tls: boolean): string {
  const names: Readonly<Record<string, string>> = {
    management: 'http',
    'amqp-metrics': 'http/prometheus',
  };
  const name = names[scheme] ?? scheme;
  return tls ? `${name}/ssl` : name;
}
