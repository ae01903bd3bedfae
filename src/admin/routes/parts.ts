import { Hono } from 'hono';
import { demand } from '../access.ts';
import { ApiError } from '../api-error.ts';
import type { AdminPorts } from '../ports.ts';

const CLUSTER = { resource: 'cluster', name: 'lyrebird' } as const;

/** What protocols add to the API: objects that have no place in core's words, such as the exchanges of AMQP. */
export function partRoutes(ports: AdminPorts): Hono {
  const app = new Hono();
  app.all('/:name/*', async (context) => {
    const operation = context.req.method === 'GET' ? 'describe' : 'alter';
    demand(ports, context, { ...CLUSTER, operation });
    const name = context.req.param('name');
    const part = ports.part(name);
    if (part === null) throw new ApiError('not-found', `there is no part ${name}`);
    return (await part)(context.req.raw, context.env as object);
  });
  return app;
}
