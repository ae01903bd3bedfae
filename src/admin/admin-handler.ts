import { getRequestListener } from '@hono/node-server';
import type { HttpHandler } from '../net/http-server.ts';
import { createAdminApp, type AdminAppOptions } from './app.ts';

/** The admin interface as a handler of Node's HTTP server. */
export function adminHandler(options: AdminAppOptions): HttpHandler {
  const app = createAdminApp(options);
  // The adapter's own Request and Response stay its own: an embedding process has the built-in ones.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => void listener(request, response);
}
