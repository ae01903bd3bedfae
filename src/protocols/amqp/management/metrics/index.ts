import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpHandler, HttpLimits } from '../../../../net/http-server.ts';
import type { Frontend } from '../../../../net/protocol.ts';
import type { MetricFamily } from '../../../../telemetry/metric-family.ts';
import {
  PROMETHEUS_CONTENT_TYPE,
  renderPrometheus,
} from '../../../../telemetry/prometheus-text.ts';
import { MANAGEMENT_LIMITS } from '../limits.ts';
import { managementOf, type ServerFacts } from '../management-of.ts';
import { aggregated, detailed, memoryFamilies, perObject } from './collect.ts';
import { TotalsByType } from './totals-by-type.ts';

/** RabbitMQ's Prometheus endpoints for the broker of an AMQP front-end. */
export function metricsInterface(
  frontend: Frontend,
  facts: ServerFacts,
): { readonly handler: HttpHandler; readonly limits: HttpLimits } {
  const management = managementOf(frontend, facts);
  const totals = new TotalsByType(management);
  const collect = (url: URL): Iterable<MetricFamily> | null => {
    switch (url.pathname.replace(/\/+$/, '')) {
      case '/metrics':
        return aggregated(management, totals);
      case '/metrics/per-object':
        return perObject(management, totals);
      case '/metrics/detailed':
        return detailed(management, {
          groups: new Set(url.searchParams.getAll('family')),
          vhosts: url.searchParams.getAll('vhost'),
        });
      case '/metrics/memory-breakdown':
        return memoryFamilies(management);
      default:
        return null;
    }
  };
  const { logger } = management.broker;
  return {
    limits: MANAGEMENT_LIMITS,
    handler: (request, response) => {
      answer(request, response, collect).catch((error: unknown) => {
        logger.warn('amqp-metrics.failed', 'a scrape was not finished', { err: error });
        response.destroy();
      });
    },
  };
}

/** Families are made and sent one after the other: a scrape of 100,000 queues is never in memory as a whole. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  collect: (url: URL) => Iterable<MetricFamily> | null,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const families = request.method === 'GET' || request.method === 'HEAD' ? collect(url) : null;
  if (families === null) {
    const status = request.method === 'GET' ? 404 : 405;
    response.writeHead(status, { 'content-type': 'text/plain' }).end('see /metrics\n');
    return;
  }
  response.writeHead(200, { 'content-type': PROMETHEUS_CONTENT_TYPE });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  for (const family of families) {
    if (response.destroyed) return;
    if (response.write(renderPrometheus([family]))) continue;
    await drained(response);
  }
  response.end();
}

/** Resolves when there is room again, or nobody is there any more. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
