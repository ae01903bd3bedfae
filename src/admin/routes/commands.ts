import { Hono } from 'hono';
import { z } from 'zod';
import { demand } from '../access.ts';
import { ApiError } from '../api-error.ts';
import type { AdminPorts } from '../ports.ts';
import { readBody } from '../validate.ts';

export const commandBody = z.strictObject({
  args: z.array(z.string().max(1_000_000)).max(1000),
  input: z.string().nullish(),
});

const CLUSTER = { operation: 'alter', resource: 'cluster', name: 'lyrebird' } as const;

/** Commands of other brokers' tools, carried out here: the command line only hands over what it was given. */
export function commandRoutes(ports: AdminPorts): Hono {
  const app = new Hono();
  app.post('/:name', async (context) => {
    demand(ports, context, CLUSTER);
    const name = context.req.param('name');
    const command = ports.command(name);
    if (command === null) throw new ApiError('not-found', `there is no command ${name}`);
    const { args, input } = await readBody(context, commandBody);
    return context.json(await command(args, input ?? null));
  });
  return app;
}
