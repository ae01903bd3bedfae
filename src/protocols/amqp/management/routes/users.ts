import type { NewPassword } from '../../../../security/user-store.ts';
import { findHashDefect, type HashAlgorithm } from '../../../../security/password.ts';
import type { Body, Call } from '../call.ts';
import { badRequest, notFound } from '../http-error.ts';
import { listing } from '../listing.ts';
import { json, NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { permissionRow, topicPermissionRow, userRow } from '../views/security-view.ts';
import { removed, saved } from './outcomes.ts';

const ALGORITHMS: Readonly<Record<string, HashAlgorithm>> = {
  rabbit_password_hashing_sha256: 'sha256',
  rabbit_password_hashing_sha512: 'sha512',
  rabbit_password_hashing_md5: 'md5',
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const USER_ROUTES: readonly Route[] = [
  {
    path: '/users',
    role: 'administrator',
    GET: (call) =>
      listing(call, call.management.broker.security.users.list(), {
        name: ({ name }) => name,
        render: userRow,
      }),
  },
  { path: '/users/without-permissions', role: 'administrator', GET: withoutPermissions },
  { path: '/users/bulk-delete', role: 'administrator', POST: bulkDelete },
  {
    path: '/users/:user',
    role: 'administrator',
    GET: (call) => json(userRow(known(call))),
    PUT: put,
    DELETE: async (call) =>
      removed(await call.management.broker.security.deleteUser(call.param('user'))),
  },
  {
    path: '/users/:user/permissions',
    role: 'administrator',
    GET: (call) => {
      const { name } = known(call);
      const all = call.management.broker.security.permissions.list();
      return rows(all.filter(({ user }) => user === name).map(permissionRow));
    },
  },
  {
    path: '/users/:user/topic-permissions',
    role: 'administrator',
    GET: (call) => {
      const { name } = known(call);
      const all = call.management.broker.security.permissions.listTopics();
      return rows(all.filter(({ user }) => user === name).map(topicPermissionRow));
    },
  },
];

function withoutPermissions({ management }: Call): Reply {
  const { users, permissions } = management.broker.security;
  const allowed = new Set(permissions.list().map(({ user }) => user));
  return rows(
    users
      .list()
      .filter(({ name }) => !allowed.has(name))
      .map(userRow),
  );
}

async function bulkDelete(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('users');
  const { security } = call.management.broker;
  // Those that are not there are as good as deleted.
  for (const name of body.texts('users')) await security.deleteUser(name);
  return NO_CONTENT;
}

async function put(call: Call): Promise<Reply> {
  const body = await call.body();
  const tags = body.has('tags') ? body : null;
  if (tags === null && !body.has('administrator')) throw badRequest('tags_not_present');
  const { users } = call.management.broker.security;
  const name = call.param('user');
  const password = passwordOf(body);
  const outcome = await users.put(name, {
    tags:
      tags === null
        ? body.flag('administrator', false)
          ? ['administrator']
          : []
        : body.texts('tags'),
    // Without a password a new user has none, and that of a known one stays.
    ...(password === null ? {} : { password }),
  });
  return saved(outcome);
}

function passwordOf(body: Body): NewPassword | null {
  if (body.has('password_hash')) {
    const hash = body.text('password_hash');
    if (hash === '') return { kind: 'none' };
    if (!BASE64.test(hash)) throw badRequest(['not_base64', hash]);
    const name = body.text('hashing_algorithm', 'rabbit_password_hashing_sha256');
    const algorithm = ALGORITHMS[name];
    if (algorithm === undefined) throw badRequest(`unknown hashing_algorithm '${name}'`);
    if (findHashDefect({ algorithm, hash }) !== null) throw badRequest(['not_base64', hash]);
    return { kind: 'hash', hash: { algorithm, hash } };
  }
  const text = body.text('password');
  return text === '' ? null : { kind: 'text', text };
}

function known(call: Call) {
  const found = call.management.broker.security.users.get(call.param('user'));
  if (found === null) throw notFound();
  return found;
}
