import type { MetricFamily } from '../../../telemetry/metric-family.ts';
import type { FrontendState } from './collect.ts';
import { gauge } from './families.ts';

/** Connections, and how busy Kafka's two kinds of threads would be: one event loop does the work of both. */
export function* networkFamilies({ connections, idle }: FrontendState): Iterable<MetricFamily> {
  yield gauge(
    'kafka_server_socket_server_metrics_connection_count',
    'Open connections.',
    [...connections].map(([listener, value]) => ({
      labels: { listener, networkProcessor: '0' },
      value,
    })),
  );
  const share = idle.share();
  const help = 'Share of the time in which the event loop has nothing to do, 0 to 1.';
  yield gauge('kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent', help, share);
  yield gauge('kafka_network_socketserver_networkprocessoravgidle_percent', help, share);
}
