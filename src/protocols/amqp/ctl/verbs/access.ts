import type { ChangeOutcome } from '../../../../security/outcome.ts';
import { vhostOf } from '../../vhost.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { namespaceIn, noUser, noVhost } from './outcomes.ts';

/** Who may do what, in which virtual host. */
export const ACCESS_VERBS: readonly Verb[] = [
  {
    name: 'set_permissions',
    usage: '[--vhost <vhost>] <username> <conf> <write> <read>',
    arguments: { min: 4, max: 4 },
    run: async (call) => {
      const [user = '', configure = '', write = '', read = ''] = call.args;
      const banner = `Setting permissions for user "${user}" in vhost "${call.options.vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const { permissions } = call.management.broker.security;
      expectRule(call, await permissions.set({ namespace, user, configure, write, read }), banner);
      return lines(banner);
    },
  },
  {
    name: 'clear_permissions',
    usage: '[--vhost <vhost>] <username>',
    arguments: { min: 1, max: 1 },
    run: async (call) => {
      const [user = ''] = call.args;
      const banner = `Clearing permissions for user "${user}" in vhost "${call.options.vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const { users, permissions } = call.management.broker.security;
      if (users.get(user) === null) throw new CtlError(CTL_EXIT.noUser, noUser(user), banner);
      // What is not there is as good as cleared.
      await permissions.clear(namespace, user);
      return lines(banner);
    },
  },
  {
    name: 'list_permissions',
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 0 },
    run: (call) => {
      const banner = `Listing permissions for vhost "${call.options.vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const all = call.management.broker.security.permissions.list();
      return {
        kind: 'table',
        banner,
        columns: ['user', 'configure', 'write', 'read'],
        rows: all.filter((rule) => rule.namespace === namespace).map((rule) => ({ ...rule })),
      };
    },
  },
  {
    name: 'list_user_permissions',
    usage: '<username>',
    arguments: { min: 1, max: 1 },
    run: ({ management, args: [user = ''] }) => ({
      kind: 'table',
      banner: `Listing permissions for user "${user}" ...`,
      columns: ['vhost', 'configure', 'write', 'read'],
      rows: management.broker.security.permissions
        .list()
        .filter((rule) => rule.user === user)
        .map((rule) => ({ ...rule, vhost: vhostOf(rule.namespace) })),
    }),
  },
  {
    name: 'set_topic_permissions',
    usage: '[--vhost <vhost>] <username> <exchange> <write> <read>',
    arguments: { min: 4, max: 4 },
    run: setTopicPermissions,
  },
  {
    name: 'clear_topic_permissions',
    usage: '[--vhost <vhost>] <username> [<exchange>]',
    arguments: { min: 1, max: 2 },
    run: clearTopicPermissions,
  },
  {
    name: 'list_topic_permissions',
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 0 },
    run: (call) => {
      const banner = `Listing topic permissions for vhost "${call.options.vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const all = call.management.broker.security.permissions.listTopics();
      return {
        kind: 'table',
        banner,
        columns: ['user', 'exchange', 'write', 'read'],
        rows: all.filter((rule) => rule.namespace === namespace).map((rule) => ({ ...rule })),
      };
    },
  },
  {
    name: 'list_user_topic_permissions',
    usage: '<username>',
    arguments: { min: 1, max: 1 },
    run: ({ management, args: [user = ''] }) => ({
      kind: 'table',
      banner: `Listing topic permissions for user "${user}" ...`,
      columns: ['vhost', 'exchange', 'write', 'read'],
      rows: management.broker.security.permissions
        .listTopics()
        .filter((rule) => rule.user === user)
        .map((rule) => ({ ...rule, vhost: vhostOf(rule.namespace) })),
    }),
  },
];

async function setTopicPermissions(call: CtlCall): Promise<CtlReply> {
  const [user = '', exchange = '', write = '', read = ''] = call.args;
  const { vhost } = call.options;
  const banner = `Setting topic permissions on "${exchange}" for user "${user}" in vhost "${vhost}" ...`;
  const namespace = namespaceIn(call, banner);
  const { permissions } = call.management.broker.security;
  const outcome = await permissions.setTopic({ namespace, user, exchange, write, read });
  expectRule(call, outcome, banner);
  return lines(banner);
}

async function clearTopicPermissions(call: CtlCall): Promise<CtlReply> {
  const [user = '', exchange = null] = call.args;
  const { vhost } = call.options;
  const on = exchange === null ? '' : ` on "${exchange}"`;
  const banner = `Clearing topic permissions${on} for user "${user}" in vhost "${vhost}" ...`;
  const namespace = namespaceIn(call, banner);
  const { users, permissions } = call.management.broker.security;
  if (users.get(user) === null) throw new CtlError(CTL_EXIT.noUser, noUser(user), banner);
  await permissions.clearTopic(namespace, user, exchange);
  return lines(banner);
}

function expectRule(call: CtlCall, outcome: ChangeOutcome, banner: string): void {
  if (outcome.status === 'ok') return;
  if (outcome.status === 'invalid') throw new CtlError(CTL_EXIT.data, outcome.message, banner);
  const [user = ''] = call.args;
  const message = outcome.what === 'user' ? noUser(user) : noVhost(call.options.vhost);
  throw new CtlError(CTL_EXIT.noUser, message, banner);
}
