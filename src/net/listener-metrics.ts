import type { MetricFamily, MetricSample } from '../telemetry/metric-family.ts';
import type { Listener } from './listener.ts';
import { CLOSE_REASONS, REFUSE_REASONS } from './net-stats.ts';
import type { Network } from './network.ts';

/** What listeners and the memory they share tell of themselves. */
export function listenerMetrics(listeners: readonly Listener[], network: Network): MetricFamily[] {
  const each = (value: (listener: Listener) => number): MetricSample[] =>
    listeners.map((listener) => ({ labels: { listener: listener.name }, value: value(listener) }));
  const by = <Key extends string>(
    label: string,
    keys: readonly Key[],
    value: (listener: Listener, key: Key) => number,
  ): MetricSample[] =>
    listeners.flatMap((listener) =>
      keys.map((key) => ({
        labels: { listener: listener.name, [label]: key },
        value: value(listener, key),
      })),
    );
  const one = (value: number): MetricSample[] => [{ labels: {}, value }];
  const { pool } = network.memory;
  return [
    gauge(
      'lyrebird_connections',
      'Open connections.',
      each((l) => l.stats.open),
    ),
    gauge(
      'lyrebird_connections_limit',
      'Most open connections.',
      each((l) => l.limits.connectionsMax),
    ),
    gauge(
      'lyrebird_slow_consumers',
      'Connections with output above the high watermark.',
      each((l) => l.stats.congested),
    ),
    counter(
      'lyrebird_connections_accepted_total',
      'Connections accepted.',
      each((l) => l.stats.accepted),
    ),
    counter(
      'lyrebird_connections_refused_total',
      'Connections closed at once by a limit.',
      by('reason', REFUSE_REASONS, (l, reason) => l.stats.refused[reason]),
    ),
    counter(
      'lyrebird_connections_closed_total',
      'Connections ended.',
      by('reason', CLOSE_REASONS, (l, reason) => l.stats.closed[reason]),
    ),
    counter(
      'lyrebird_connection_failures_total',
      'Connections closed by an internal error.',
      each((l) => l.stats.handlerErrors),
    ),
    counter(
      'lyrebird_tls_handshake_failures_total',
      'TLS handshakes that failed.',
      each((l) => l.stats.tlsErrors),
    ),
    counter(
      'lyrebird_network_received_bytes_total',
      'Bytes received.',
      each((l) => l.stats.bytesIn),
    ),
    counter(
      'lyrebird_network_sent_bytes_total',
      'Bytes handed to the kernel.',
      each((l) => l.stats.bytesOut),
    ),
    counter(
      'lyrebird_network_writes_total',
      'Writes to sockets.',
      each((l) => l.stats.writes),
    ),
    gauge(
      'lyrebird_network_output_pending_bytes',
      'Output not yet taken by the kernel.',
      each((l) => l.stats.outputPending),
    ),
    gauge(
      'lyrebird_network_input_held_bytes',
      'Memory of received, unprocessed bytes.',
      one(network.memory.heldBytes),
    ),
    gauge(
      'lyrebird_network_input_held_limit_bytes',
      'Most memory of received, unprocessed bytes.',
      one(network.memory.heldBytesMax),
    ),
    gauge('lyrebird_network_buffers_taken_bytes', 'Pooled buffers in use.', one(pool.takenBytes)),
    gauge(
      'lyrebird_network_buffers_kept_bytes',
      'Pooled buffers waiting for use.',
      one(pool.keptBytes),
    ),
  ];
}

function gauge(name: string, help: string, samples: MetricSample[]): MetricFamily {
  return { name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, samples: MetricSample[]): MetricFamily {
  return { name, help, type: 'counter', samples };
}
