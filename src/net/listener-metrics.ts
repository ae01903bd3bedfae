import type { MetricFamily, MetricSample } from '../telemetry/metric-family.ts';
import type { Listener } from './listener.ts';
import { CLOSE_REASONS, REFUSE_REASONS } from './net-stats.ts';
import type { Network } from './network.ts';

type Type = 'counter' | 'gauge';
type PerListener = readonly [Type, name: string, help: string, (listener: Listener) => number];
type PerNetwork = readonly [Type, name: string, help: string, (network: Network) => number];

const PER_LISTENER: readonly PerListener[] = [
  ['gauge', 'connections', 'Open connections.', (l) => l.stats.open],
  ['gauge', 'connections_limit', 'Most open connections.', (l) => l.limits.connectionsMax],
  ['gauge', 'slow_consumers', 'Connections above the output watermark.', (l) => l.stats.congested],
  ['counter', 'connections_accepted_total', 'Connections accepted.', (l) => l.stats.accepted],
  [
    'counter',
    'connection_failures_total',
    'Connections closed by an internal error.',
    (l) => l.stats.handlerErrors,
  ],
  [
    'counter',
    'tls_handshake_failures_total',
    'TLS handshakes that failed.',
    (l) => l.stats.tlsErrors,
  ],
  ['counter', 'network_received_bytes_total', 'Bytes received.', (l) => l.stats.bytesIn],
  ['counter', 'network_sent_bytes_total', 'Bytes handed to the kernel.', (l) => l.stats.bytesOut],
  ['counter', 'network_writes_total', 'Writes to sockets.', (l) => l.stats.writes],
  [
    'gauge',
    'network_output_pending_bytes',
    'Output that the kernel has not taken yet.',
    (l) => l.stats.outputPending,
  ],
];

const PER_NETWORK: readonly PerNetwork[] = [
  ['gauge', 'network_input_held_bytes', 'Memory of unprocessed input.', (n) => n.memory.heldBytes],
  [
    'gauge',
    'network_input_held_limit_bytes',
    'Most memory of unprocessed input.',
    (n) => n.memory.heldBytesMax,
  ],
  [
    'gauge',
    'network_buffers_taken_bytes',
    'Pooled buffers in use.',
    (n) => n.memory.pool.takenBytes,
  ],
  [
    'gauge',
    'network_buffers_kept_bytes',
    'Pooled buffers that wait for use.',
    (n) => n.memory.pool.keptBytes,
  ],
];

/** What listeners and the memory they share tell of themselves, as `lyrebird_*`. */
export function listenerMetrics(listeners: readonly Listener[], network: Network): MetricFamily[] {
  const perListener = PER_LISTENER.map(([type, name, help, value]) =>
    family(
      type,
      name,
      help,
      listeners.map((listener) => ({
        labels: { listener: listener.name },
        value: value(listener),
      })),
    ),
  );
  const perNetwork = PER_NETWORK.map(([type, name, help, value]) =>
    family(type, name, help, [{ labels: {}, value: value(network) }]),
  );
  const refused = byReason(listeners, REFUSE_REASONS, ({ stats }) => stats.refused);
  const closed = byReason(listeners, CLOSE_REASONS, ({ stats }) => stats.closed);
  return [
    ...perListener,
    family(
      'counter',
      'connections_refused_total',
      'Connections closed at once by a limit.',
      refused,
    ),
    family('counter', 'connections_closed_total', 'Connections that ended.', closed),
    ...perNetwork,
  ];
}

function byReason<Reason extends string>(
  listeners: readonly Listener[],
  reasons: readonly Reason[],
  counts: (listener: Listener) => Readonly<Record<Reason, number>>,
): MetricSample[] {
  return listeners.flatMap((listener) =>
    reasons.map((reason) => ({
      labels: { listener: listener.name, reason },
      value: counts(listener)[reason],
    })),
  );
}

function family(type: Type, name: string, help: string, samples: MetricSample[]): MetricFamily {
  return { name: `lyrebird_${name}`, help, type, samples };
}
