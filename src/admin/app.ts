import { Hono } from 'hono';
import type { Logger } from '../telemetry/logger.ts';
import { errorAnswer } from './api-error.ts';
import { browserGuard } from './guard.ts';
import type { AdminPorts } from './ports.ts';
import { partRoutes } from './routes/parts.ts';
import { brokerRoutes } from './routes/broker.ts';
import { commandRoutes } from './routes/commands.ts';
import { groupRoutes } from './routes/groups.ts';
import { healthRoutes } from './routes/health.ts';
import { topicRoutes } from './routes/topics.ts';

export interface AdminAppOptions {
  readonly ports: AdminPorts;
  /** Host names besides localhost and addresses that requests may use; '*' for any. */
  readonly allowedHosts: readonly string[];
  readonly logger: Logger;
}

/** The admin interface as a fetch handler: health, metrics and the API of api.ts. */
export function createAdminApp({ ports, allowedHosts, logger }: AdminAppOptions): Hono {
  const app = new Hono();
  app.onError((error, context) => {
    const answer = errorAnswer(error);
    if (answer !== null) return context.json(answer.body, answer.status);
    logger.error('admin.failed', 'an admin request failed by an internal error', {
      method: context.req.method,
      path: context.req.path,
      err: error,
    });
    return context.json(
      { error: { code: 'internal', message: 'internal error; see the log' } },
      500,
    );
  });
  app.notFound((context) => {
    const { method, path } = context.req;
    return context.json({ error: { code: 'not-found', message: `no ${method} ${path}` } }, 404);
  });
  app.use(browserGuard({ allowedHosts }));
  app.route('/', healthRoutes(ports));
  app.route('/api/v1/topics', topicRoutes(ports));
  app.route('/api/v1/groups', groupRoutes(ports));
  app.route('/api/v1/commands', commandRoutes(ports));
  app.route('/api/v1/parts', partRoutes(ports));
  app.route('/api/v1', brokerRoutes(ports));
  return app;
}
