import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { HttpHandler } from '../net/http-server.ts';
import { ApiError, errorAnswer } from './api-error.ts';
import { browserGuard } from './guard.ts';
import type { Command } from './ports.ts';
import { commandBody } from './routes/commands.ts';
import { readBody } from './validate.ts';

/** The admin interface of a broker that was stopped inside its process: it can be started again, and nothing else. */
export function stoppedHandler(options: {
  readonly allowedHosts: readonly string[];
  command(name: string): Command | null;
}): HttpHandler {
  const app = new Hono();
  app.onError((error, context) => {
    const answer = errorAnswer(error);
    if (answer !== null) return context.json(answer.body, answer.status);
    return context.json({ error: { code: 'internal', message: 'internal error' } }, 500);
  });
  app.use(browserGuard({ allowedHosts: options.allowedHosts }));
  app.get('/livez', (context) => context.text('ok\n'));
  app.post('/api/v1/commands/:name', async (context) => {
    const command = options.command(context.req.param('name'));
    if (command === null) throw stopped();
    const { args, input } = await readBody(context, commandBody);
    return context.json(await command(args, input ?? null));
  });
  app.all('*', () => {
    throw stopped();
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => void listener(request, response);
}

const stopped = (): ApiError =>
  new ApiError('unavailable', 'the broker is stopped; rabbitmqctl start_app starts it again');
