import { hashPassword } from '../../../../security/password.ts';
import { visibleNamespaces } from '../access.ts';
import { badRequest } from '../http-error.ts';
import { single } from '../listing.ts';
import { json, NO_CONTENT } from '../reply.ts';
import type { Route } from '../route.ts';
import { overview } from '../views/overview-view.ts';
import { saved } from './outcomes.ts';

const SALT_BYTES = 4;

const protocolName = (name: string): string => (name === 'amqp' ? 'amqp091' : name);

/** The broker as a whole, and who asks. */
export const OVERVIEW_ROUTES: readonly Route[] = [
  {
    path: '/overview',
    GET: (call) => single(call, overview(call.management, visibleNamespaces(call))),
  },
  {
    path: '/whoami',
    role: 'user',
    GET: ({ user }) => json({ name: user.name, tags: user.tags, is_internal_user: true }),
  },
  {
    path: '/cluster-name',
    role: { GET: 'user', PUT: 'administrator' },
    GET: ({ management }) => json({ name: management.clusterName }),
    PUT: async (call) => {
      const body = await call.body();
      body.demand('name');
      const { parameters } = call.management.broker;
      saved(await parameters.setGlobal('cluster_name', body.text('name')));
      return NO_CONTENT;
    },
  },
  { path: '/extensions', GET: () => json([]) },
  {
    path: '/version',
    GET: ({ management }) => json(management.announcedVersion),
  },
  {
    path: '/auth/hash_password/:password',
    role: 'administrator',
    GET: (call) => {
      const password = call.param('password');
      if (password === '') throw badRequest('the password is empty');
      const salt = call.management.broker.random.bytes(SALT_BYTES);
      return json({ ok: hashPassword(password, salt).hash });
    },
  },
  {
    path: '/auth/attempts/:node',
    role: 'monitoring',
    GET: ({ management }) =>
      json(
        management.broker.security.logins.attempts
          .byProtocol()
          .map(({ protocol, succeeded, failed }) => ({
            protocol: protocolName(protocol),
            auth_attempts: succeeded + failed,
            auth_attempts_failed: failed,
            auth_attempts_succeeded: succeeded,
          })),
      ),
    DELETE: ({ management }) => {
      management.broker.security.logins.attempts.reset();
      return NO_CONTENT;
    },
  },
  {
    path: '/auth/attempts/:node/source',
    role: 'monitoring',
    GET: ({ management }) =>
      json(
        management.broker.security.logins.attempts
          .bySource()
          .map(({ protocol, address, user, succeeded, failed }) => ({
            remote_address: address,
            username: user,
            protocol: protocolName(protocol),
            auth_attempts: succeeded + failed,
            auth_attempts_failed: failed,
            auth_attempts_succeeded: succeeded,
          })),
      ),
    DELETE: ({ management }) => {
      management.broker.security.logins.attempts.reset();
      return NO_CONTENT;
    },
  },
];
