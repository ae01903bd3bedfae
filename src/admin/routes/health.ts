import { Hono } from 'hono';
import { PROMETHEUS_CONTENT_TYPE } from '../../telemetry/prometheus-text.ts';
import type { AdminPorts } from '../ports.ts';

/**
 * For machines that watch: `/livez` answers while the event loop turns, `/readyz` while clients can be served, with
 * a reason for each part that cannot; `/healthz` is readiness in one word; `/metrics` is for Prometheus.
 */
export function healthRoutes(ports: AdminPorts): Hono {
  const app = new Hono();
  app.get('/livez', (context) => context.text('ok\n'));
  app.get('/readyz', (context) => {
    const components = ports.health();
    const ready = components.every(({ ok }) => ok);
    return context.json({ ready, components }, ready ? 200 : 503);
  });
  app.get('/healthz', (context) => {
    const failing = ports.health().filter(({ ok }) => !ok);
    if (failing.length === 0) return context.text('ok\n');
    return context.text(`failing: ${failing.map(({ name }) => name).join(', ')}\n`, 503);
  });
  app.get('/metrics', (context) => {
    context.header('content-type', PROMETHEUS_CONTENT_TYPE);
    return context.body(ports.scrape());
  });
  return app;
}
