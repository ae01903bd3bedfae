import type { NamespaceLimits } from '../../../../core/namespace/namespace-store.ts';
import { vhostLimits } from '../../management/views/security-view.ts';
import { namespaceOf, vhostOf } from '../../vhost.ts';
import { Atoms, JsonText } from '../format.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { columnsFor } from './columns.ts';
import { expectDone, namespaceIn, noVhost, parseJson } from './outcomes.ts';

export const VHOST_VERBS: readonly Verb[] = [
  {
    name: 'add_vhost',
    usage: '<vhost> [--description <text>] [--tags <tag,...>] [--default-queue-type <type>]',
    arguments: { min: 1, max: 1 },
    run: addVhost,
  },
  {
    name: 'delete_vhost',
    usage: '<vhost>',
    arguments: { min: 1, max: 1 },
    run: async ({ management, args: [vhost = ''] }) => {
      const banner = `Deleting vhost "${vhost}" ...`;
      const outcome = await management.broker.namespaces.delete(namespaceOf(vhost));
      expectDone(outcome, banner, noVhost(vhost));
      return lines(banner);
    },
  },
  {
    name: 'list_vhosts',
    usage: '[<column> ...]',
    arguments: { min: 0, max: 100 },
    run: (call) => ({
      kind: 'table',
      banner: 'Listing vhosts ...',
      columns: columnsFor(call, {
        known: ['name', 'description', 'tags', 'tracing', 'default_queue_type', 'cluster_state'],
        usual: ['name'],
      }),
      rows: call.management.broker.namespaces.list().map((namespace) => ({
        name: vhostOf(namespace.name),
        description: namespace.description,
        tags: new Atoms(namespace.tags),
        tracing: namespace.tracing,
        default_queue_type: namespace.defaultQueueType ?? 'undefined',
        cluster_state: { [call.management.nodeName]: 'running' },
      })),
    }),
  },
  {
    name: 'set_vhost_tags',
    usage: '<vhost> <tag> [...]',
    arguments: { min: 1, max: 100 },
    run: async ({ management, args: [vhost = '', ...tags] }) => {
      const banner = `Setting tags for virtual host "${vhost}" to [${tags.join(', ')}] ...`;
      const { namespaces } = management.broker;
      const namespace = namespaceOf(vhost);
      if (!namespaces.has(namespace)) throw new CtlError(CTL_EXIT.noUser, noVhost(vhost), banner);
      expectDone(await namespaces.put(namespace, { tags }), banner, noVhost(vhost));
      return lines(banner);
    },
  },
  {
    name: 'restart_vhost',
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 1 },
    // Virtual hosts do not fail one by one here.
    run: (call) => {
      const banner = `Trying to restart vhost '${call.options.vhost}' on node '${call.management.nodeName}' ...`;
      namespaceIn(call, banner);
      return lines(banner, `Vhost '${call.options.vhost}' is already running`);
    },
  },
  { ...tracingVerb('trace_on', true) },
  { ...tracingVerb('trace_off', false) },
  {
    name: 'set_vhost_limits',
    usage: '[--vhost <vhost>] <definition>',
    arguments: { min: 1, max: 1 },
    run: setLimits,
  },
  {
    name: 'clear_vhost_limits',
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 0 },
    run: async (call) => {
      const { vhost } = call.options;
      const banner = `Clearing vhost "${vhost}" limits ...`;
      const namespace = namespaceIn(call, banner);
      const limits: NamespaceLimits = { maxConnections: null, maxQueues: null };
      const outcome = await call.management.broker.namespaces.put(namespace, { limits });
      expectDone(outcome, banner, noVhost(vhost));
      return lines(banner);
    },
  },
  {
    name: 'list_vhost_limits',
    usage: '[--vhost <vhost>] [--global]',
    arguments: { min: 0, max: 0 },
    run: ({ management, options }) => {
      const isGlobal = options.flags.has('global') || options.values.get('global') === 'true';
      return {
        kind: 'table',
        banner: isGlobal
          ? 'Listing limits for all vhosts ...'
          : `Listing limits for vhost "${options.vhost}" ...`,
        columns: isGlobal ? ['vhost', 'limits'] : ['limits'],
        rows: management.broker.namespaces
          .list()
          .filter(({ name }) => isGlobal || name === namespaceOf(options.vhost))
          .map(({ name, limits }) => ({
            vhost: vhostOf(name),
            limits: new JsonText(vhostLimits(limits)),
          })),
      };
    },
  },
];

async function addVhost({ management, options, args }: CtlCall): Promise<CtlReply> {
  const [vhost = ''] = args;
  const banner = `Adding vhost "${vhost}" ...`;
  const { namespaces } = management.broker;
  const namespace = namespaceOf(vhost);
  if (namespaces.has(namespace)) {
    throw new CtlError(CTL_EXIT.software, `Virtual host '${vhost}' already exists`, banner);
  }
  const type = options.values.get('default-queue-type') ?? null;
  const tags = (options.values.get('tags') ?? '').split(',').filter((tag) => tag !== '');
  const outcome = await namespaces.put(namespace, {
    description: options.values.get('description') ?? '',
    tags,
    defaultQueueType: type,
  });
  expectDone(outcome, banner, noVhost(vhost));
  return lines(banner);
}

function tracingVerb(name: string, tracing: boolean): Verb {
  return {
    name,
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 0 },
    run: async (call) => {
      const { vhost } = call.options;
      const banner = `${tracing ? 'Starting' : 'Stopping'} tracing for vhost "${vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const outcome = await call.management.broker.namespaces.put(namespace, { tracing });
      expectDone(outcome, banner, noVhost(vhost));
      return lines(banner, `Trace ${tracing ? 'enabled' : 'disabled'} for vhost ${vhost}`);
    },
  };
}

async function setLimits(call: CtlCall): Promise<CtlReply> {
  const [definition = ''] = call.args;
  const { vhost } = call.options;
  const banner = `Setting vhost limits to "${definition}" for vhost "${vhost}" ...`;
  const namespace = namespaceIn(call, banner);
  const given = parseJson(definition, banner) as Readonly<Record<string, unknown>>;
  const limitOf = (name: string): number | null => {
    const value = given[name];
    return typeof value === 'number' && value >= 0 ? value : null;
  };
  const limits = {
    maxConnections: limitOf('max-connections'),
    maxQueues: limitOf('max-queues'),
  };
  const outcome = await call.management.broker.namespaces.put(namespace, { limits });
  expectDone(outcome, banner, noVhost(vhost));
  return lines(banner);
}
