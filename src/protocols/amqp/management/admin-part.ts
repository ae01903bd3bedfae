import type { Frontend } from '../../../net/protocol.ts';
import { ANONYMOUS } from '../../../security/principal.ts';
import { NO_USER_LIMITS, type User } from '../../../security/user-store.ts';
import { createManagementApp } from './app.ts';
import type { HttpError } from './http-error.ts';
import { managementOf, type ServerFacts } from './management-of.ts';

/** Whoever uses the admin interface: it is not asked for a name, and may do everything. */
const ADMIN: User = {
  name: '',
  password: null,
  tags: ['administrator'],
  limits: NO_USER_LIMITS,
};

const CODES: Readonly<Record<HttpError['status'], string>> = {
  400: 'invalid-request',
  401: 'forbidden',
  404: 'not-found',
  405: 'invalid-request',
  409: 'conflict',
  413: 'too-large',
  500: 'internal',
  503: 'unavailable',
};

/** The same resources as part of the admin API, for the command line: without logging in, with its kind of errors. */
export function adminPart(
  frontend: Frontend,
  facts: ServerFacts,
  prefix: string,
): (request: Request, env: object) => Response | Promise<Response> {
  const app = createManagementApp(managementOf(frontend, facts), {
    prefix,
    authenticate: () => Promise.resolve({ user: ADMIN, principal: ANONYMOUS }),
    errorBody: ({ status, message, reason }) => ({
      error: {
        code: CODES[status],
        message: typeof reason === 'string' ? reason : `${message}: ${JSON.stringify(reason)}`,
      },
    }),
  });
  return (request, env) => app.fetch(request, env);
}
