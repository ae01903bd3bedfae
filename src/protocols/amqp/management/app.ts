import { Hono, type Context } from 'hono';
import type { Logger } from '../../../telemetry/logger.ts';
import { LyrebirdError } from '../../../base/errors.ts';
import { demandRole, demandVhost, type Role } from './access.ts';
import { Call, type Caller } from './call.ts';
import { HttpError } from './http-error.ts';
import { login } from './login.ts';
import type { Management } from './management.ts';
import type { Reply } from './reply.ts';
import type { Method, Route } from './route.ts';
import { rowStream } from './row-stream.ts';
import { ROUTES } from './routes/all.ts';

const METHODS: readonly Method[] = ['GET', 'PUT', 'POST', 'DELETE'];
const CHALLENGE = 'Basic realm="RabbitMQ Management"';

/** How the API is served. */
export interface ManagementAppOptions {
  /** Where it begins: /api. */
  readonly prefix: string;
  /** Throws when the caller is nobody. */
  authenticate(header: string | undefined, address: string): Promise<Caller>;
  errorBody(error: HttpError): object;
}

/** As RabbitMQ serves it. */
export function rabbitmqStyle({ broker }: Management): ManagementAppOptions {
  return {
    prefix: '/api',
    authenticate: (header, address) => login(broker, header, address),
    errorBody: ({ error, reason }) => ({ error, reason }),
  };
}

/** RabbitMQ's management HTTP API as a fetch handler. */
export function createManagementApp(
  management: Management,
  options: ManagementAppOptions = rabbitmqStyle(management),
): Hono {
  const { logger } = management.broker;
  const app = new Hono({ strict: false });
  app.onError((error, context) => answerError(context, error, { logger, options }));
  app.notFound((context) => context.json({ error: 'Object Not Found', reason: 'Not Found' }, 404));
  app.use(async (context, next) => {
    refusePages(context);
    await next();
    context.header('cache-control', 'no-cache');
    context.header('vary', 'accept, accept-encoding, origin');
  });
  for (const route of ROUTES) addRoute(app, { management, options, route });
  app.get('/', (context) =>
    context.text(`Lyrebird ${management.ports.version}: RabbitMQ's HTTP API is under /api\n`),
  );
  return app;
}

function addRoute(
  app: Hono,
  parts: {
    readonly management: Management;
    readonly options: ManagementAppOptions;
    readonly route: Route;
  },
): void {
  const { management, options, route } = parts;
  const path = options.prefix + route.path;
  const allowed = METHODS.filter((method) => route[method] !== undefined);
  for (const method of allowed) {
    const handler = route[method];
    if (handler === undefined) continue;
    app.on(method, path, async (context) => {
      const address = remoteAddress(context);
      const caller = await options.authenticate(context.req.header('authorization'), address);
      demandRole(caller.user, roleFor(route, method));
      const call = new Call(management, caller, {
        method,
        address,
        params: context.req.param(),
        query: new URL(context.req.url).searchParams,
        header: (name) => context.req.header(name),
        body: context.req.raw.body,
      });
      if (call.has('vhost') && route.freeVhost !== true) demandVhost(call);
      return answer(context, await handler(call));
    });
  }
  const allow = ['HEAD', ...allowed, 'OPTIONS'].join(', ');
  app.options(path, (context) => context.body(null, 200, { allow }));
  app.all(path, (context) => context.body(null, 405, { allow }));
}

function roleFor({ role = 'management' }: Route, method: Method): Role {
  return typeof role === 'string' ? role : (role[method] ?? 'management');
}

function answer(context: Context, reply: Reply): Response {
  switch (reply.kind) {
    case 'json':
      return context.json(reply.value, reply.status);
    case 'rows':
      return context.body(rowStream(reply.rows), 200, { 'content-type': 'application/json' });
    case 'empty':
      return context.body(
        null,
        reply.status,
        reply.location === null ? {} : { location: reply.location },
      );
    case 'text':
      return context.body(reply.text, 200, { 'content-type': reply.contentType });
    default:
      return reply satisfies never;
  }
}

function answerError(
  context: Context,
  error: unknown,
  { logger, options }: { readonly logger: Logger; readonly options: ManagementAppOptions },
): Response {
  if (error instanceof HttpError) {
    if (error.error === 'not_authorized') context.header('www-authenticate', CHALLENGE);
    // What is left of a body that is too large is never read: the connection cannot be used again.
    if (error.status === 413) context.header('connection', 'close');
    return context.json(options.errorBody(error), error.status);
  }
  if (error instanceof LyrebirdError) {
    return context.json(options.errorBody(new HttpError(503, 'unavailable', error.message)), 503);
  }
  logger.error('management.failed', 'a management request failed by an internal error', {
    method: context.req.method,
    path: context.req.path,
    err: error,
  });
  const internal = new HttpError(500, 'internal_error', 'internal error; see the log');
  return context.json(options.errorBody(internal), 500);
}

/** Pages of other origins get nothing, even if a browser has the credentials. */
function refusePages(context: Context): void {
  const site = context.req.header('sec-fetch-site');
  if (site !== 'cross-site' && site !== 'same-site') return;
  throw new HttpError(401, 'not_authorised', 'requests from pages of other origins are not served');
}

function remoteAddress(context: Context): string {
  const env = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return env?.incoming?.socket?.remoteAddress ?? 'unknown';
}
