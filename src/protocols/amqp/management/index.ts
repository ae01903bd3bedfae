import { getRequestListener } from '@hono/node-server';
import type { HttpHandler, HttpLimits } from '../../../net/http-server.ts';
import type { Frontend } from '../../../net/protocol.ts';
import { createManagementApp } from './app.ts';
import { MANAGEMENT_LIMITS } from './limits.ts';
import { managementOf, type ServerFacts } from './management-of.ts';

/** RabbitMQ's management HTTP API for the broker of an AMQP front-end. */
export function managementInterface(
  frontend: Frontend,
  facts: ServerFacts,
): { readonly handler: HttpHandler; readonly limits: HttpLimits } {
  const app = createManagementApp(managementOf(frontend, facts));
  // The adapter's own Request and Response stay its own: an embedding process has the built-in ones.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return {
    handler: (request, response) => void listener(request, response),
    limits: MANAGEMENT_LIMITS,
  };
}
