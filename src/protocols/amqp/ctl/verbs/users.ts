import type { User, UserLimits } from '../../../../security/user-store.ts';
import { userLimits } from '../../management/views/security-view.ts';
import { Atoms, JsonText } from '../format.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { expectDone, noUser, parseJson } from './outcomes.ts';

const GRANT_HINT =
  "Done. Don't forget to grant the user permissions to some virtual hosts! " +
  "See 'rabbitmqctl help set_permissions' to learn more.";

export const USER_VERBS: readonly Verb[] = [
  { name: 'add_user', usage: '<username> <password>', arguments: { min: 1, max: 2 }, run: addUser },
  {
    name: 'delete_user',
    usage: '<username>',
    arguments: { min: 1, max: 1 },
    run: async ({ management, args: [name = ''] }) => {
      const banner = `Deleting user "${name}" ...`;
      expectDone(await management.broker.security.deleteUser(name), banner, noUser(name));
      return lines(banner);
    },
  },
  {
    name: 'change_password',
    usage: '<username> <password>',
    arguments: { min: 1, max: 2 },
    run: async (call) => {
      const [name = ''] = call.args;
      const banner = `Changing password for user "${name}" ...`;
      const text = passwordIn(call, banner);
      known(call, name, banner);
      const { users } = call.management.broker.security;
      expectDone(await users.put(name, { password: { kind: 'text', text } }), banner, noUser(name));
      return lines(banner);
    },
  },
  {
    name: 'clear_password',
    usage: '<username>',
    arguments: { min: 1, max: 1 },
    run: async (call) => {
      const [name = ''] = call.args;
      const banner = `Clearing password for user "${name}" ...`;
      known(call, name, banner);
      const { users } = call.management.broker.security;
      expectDone(await users.put(name, { password: { kind: 'none' } }), banner, noUser(name));
      return lines(banner);
    },
  },
  {
    name: 'authenticate_user',
    usage: '<username> <password>',
    arguments: { min: 1, max: 2 },
    run: (call) => {
      const [name = ''] = call.args;
      const banner = `Authenticating user "${name}" ...`;
      const { logins } = call.management.broker.security;
      const peer = { protocol: 'ctl', address: '127.0.0.1' };
      const outcome = logins.checkPassword(name, passwordIn(call, banner), peer);
      if (outcome.status === 'ok') return lines(banner, 'Success');
      throw new CtlError(
        CTL_EXIT.data,
        `failed to authenticate user "${name}"\n${outcome.reason}`,
        banner,
      );
    },
  },
  {
    name: 'set_user_tags',
    usage: '<username> <tag> [...]',
    arguments: { min: 1, max: 100 },
    run: async (call) => {
      const [name = '', ...tags] = call.args;
      const banner = `Setting tags for user "${name}" to [${tags.join(', ')}] ...`;
      known(call, name, banner);
      const { users } = call.management.broker.security;
      expectDone(await users.put(name, { tags }), banner, noUser(name));
      return lines(banner);
    },
  },
  {
    name: 'list_users',
    usage: '[--no-table-headers]',
    arguments: { min: 0, max: 0 },
    run: ({ management }) => ({
      kind: 'table',
      banner: 'Listing users ...',
      columns: ['user', 'tags'],
      rows: management.broker.security.users
        .list()
        .map(({ name, tags }) => ({ user: name, tags: new Atoms(tags) })),
    }),
  },
  {
    name: 'set_user_limits',
    usage: '<username> <definition>',
    arguments: { min: 2, max: 2 },
    run: setLimits,
  },
  {
    name: 'clear_user_limits',
    usage: '<username> <limit_type> | all',
    arguments: { min: 2, max: 2 },
    run: async (call) => {
      const [name = '', which = ''] = call.args;
      const banner = `Clearing "${which}" limits for user "${name}" ...`;
      known(call, name, banner);
      const limits: Partial<UserLimits> = {
        ...(which === 'max-connections' || which === 'all' ? { maxConnections: null } : {}),
        ...(which === 'max-channels' || which === 'all' ? { maxChannels: null } : {}),
      };
      const { users } = call.management.broker.security;
      expectDone(await users.put(name, { limits }), banner, noUser(name));
      return lines(banner);
    },
  },
  {
    name: 'list_user_limits',
    usage: '[--user <username>]',
    arguments: { min: 0, max: 0 },
    run: ({ management }) => ({
      kind: 'table',
      banner: 'Listing limits for all users ...',
      columns: ['user', 'limits'],
      rows: management.broker.security.users
        .list()
        .map(({ name, limits }) => ({ user: name, limits: new JsonText(userLimits(limits)) })),
    }),
  },
];

async function addUser(call: CtlCall): Promise<CtlReply> {
  const [name = ''] = call.args;
  const banner = `Adding user "${name}" ...`;
  const { users } = call.management.broker.security;
  const text = passwordIn(call, banner);
  if (users.get(name) !== null) {
    throw new CtlError(CTL_EXIT.software, `User "${name}" already exists`, banner);
  }
  const outcome = await users.put(name, { password: { kind: 'text', text }, tags: [] });
  expectDone(outcome, banner, noUser(name));
  return call.options.quiet ? lines(banner) : lines(banner, GRANT_HINT);
}

async function setLimits(call: CtlCall): Promise<CtlReply> {
  const [name = '', definition = ''] = call.args;
  const banner = `Setting user limits to "${definition}" for user "${name}" ...`;
  known(call, name, banner);
  const given = parseJson(definition, banner) as Readonly<Record<string, unknown>>;
  const limitOf = (key: string): number | null => {
    const value = given[key];
    return typeof value === 'number' && value >= 0 ? value : null;
  };
  const { users } = call.management.broker.security;
  const limits = {
    ...('max-connections' in given ? { maxConnections: limitOf('max-connections') } : {}),
    ...('max-channels' in given ? { maxChannels: limitOf('max-channels') } : {}),
  };
  expectDone(await users.put(name, { limits }), banner, noUser(name));
  return lines(banner);
}

/** Given behind the name, or on the standard input. */
function passwordIn({ args, input }: CtlCall, banner: string): string {
  const password = args[1] ?? input?.replace(/\r?\n$/, '') ?? null;
  if (password !== null && password !== '') return password;
  throw new CtlError(CTL_EXIT.data, 'the password is empty', banner);
}

function known({ management }: CtlCall, name: string, banner: string): User {
  const user = management.broker.security.users.get(name);
  if (user !== null) return user;
  throw new CtlError(CTL_EXIT.noUser, noUser(name), banner);
}
