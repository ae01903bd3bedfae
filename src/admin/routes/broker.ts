import { Hono } from 'hono';
import { demand, namespaceOf } from '../access.ts';
import type { StatusInfo } from '../api.ts';
import { ApiError } from '../api-error.ts';
import type { AdminPorts } from '../ports.ts';

const CLUSTER = { resource: 'cluster', name: 'lyrebird' } as const;

/** What concerns the broker as a whole: identity, state, configuration, listeners, connections, limits. */
export function brokerRoutes(ports: AdminPorts): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const operation = context.req.method === 'GET' ? 'describe' : 'alter';
    demand(ports, context, { ...CLUSTER, operation });
    await next();
  });
  app.get('/broker', (context) => context.json(ports.info()));
  app.get('/status', (context) => context.json(statusOf(ports, namespaceOf(context))));
  app.get('/config', (context) => context.json({ config: ports.config() }));
  app.get('/listeners', (context) => context.json({ listeners: ports.listeners() }));
  app.get('/connections', (context) => context.json({ connections: ports.connections() }));
  app.delete('/connections/:id', (context) => {
    const id = context.req.param('id');
    if (!/^\d+$/.test(id) || !ports.closeConnection(Number(id))) {
      throw new ApiError('not-found', `there is no connection ${id}`);
    }
    return context.body(null, 204);
  });
  app.get('/limits', (context) => context.json({ limits: ports.limits() }));
  return app;
}

function statusOf(ports: AdminPorts, namespace: string): StatusInfo {
  const { broker } = ports;
  const components = ports.health();
  const topics = broker.topics.list(namespace);
  const stats = broker.engine.stats();
  const memory = process.memoryUsage();
  return {
    ready: components.every(({ ok }) => ok),
    components,
    uptimeMs: ports.info().uptimeMs,
    topics: topics.length,
    partitions: topics.reduce((sum, { partitionCount }) => sum + partitionCount, 0),
    groups: broker.groups.list(namespace).length,
    connections: ports.listeners().reduce((sum, { connections }) => sum + connections, 0),
    ...ports.traffic(),
    disk: {
      state: broker.engine.diskState(),
      totalBytes: stats.diskTotalBytes,
      freeBytes: stats.diskFreeBytes,
      journalBytes: stats.journalBytes,
      segmentBytes: stats.segmentBytes,
    },
    memory: { rssBytes: memory.rss, heapUsedBytes: memory.heapUsed },
  };
}
