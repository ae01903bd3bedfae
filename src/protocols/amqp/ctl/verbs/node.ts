import { totalmem } from 'node:os';
import { FEATURE_FLAGS } from '../../management/routes/features.ts';
import { listenerRows } from '../../management/views/overview-view.ts';
import { alarms, nodeFacts } from '../../management/views/node-view.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';

/** The node itself: its life, its limits, what it is. */
export const NODE_VERBS: readonly Verb[] = [
  { name: 'stop_app', usage: '', arguments: { min: 0, max: 0 }, run: stopApp },
  { name: 'start_app', usage: '', arguments: { min: 0, max: 0 }, run: startApp },
  { name: 'status', usage: '', arguments: { min: 0, max: 0 }, run: status },
  {
    name: 'version',
    usage: '',
    arguments: { min: 0, max: 0 },
    run: ({ management }) => lines(null, management.announcedVersion),
  },
  {
    ...answering('ping', ({ management }) => `Will ping ${management.nodeName}.`, 'Ping succeeded'),
  },
  {
    ...answering(
      'await_startup',
      () => 'Waiting for startup ...',
      'RabbitMQ application is running',
    ),
  },
  { ...answering('wait', () => 'Waiting for startup ...', 'Applications are running') },
  { ...answering('node_health_check', () => 'Running health check ...', 'Health check passed') },
  // Nothing to do here: garbage is collected when that is worth it, and logs go to the standard output.
  { ...answering('force_gc', () => 'Garbage is collected as needed ...', 'ok') },
  { ...answering('rotate_logs', () => 'Logs go to the standard output ...', 'ok') },
  {
    name: 'cluster_status',
    usage: '',
    arguments: { min: 0, max: 0 },
    run: ({ management: { nodeName, clusterName } }) =>
      lines(
        `Cluster status of node ${nodeName} ...`,
        'Basics',
        '',
        `Cluster name: ${clusterName}`,
        '',
        'Disk Nodes',
        '',
        nodeName,
        '',
        'Running Nodes',
        '',
        nodeName,
      ),
  },
  {
    name: 'set_cluster_name',
    usage: '<name>',
    arguments: { min: 1, max: 1 },
    run: async ({ management, args: [name = ''] }) => {
      await management.broker.parameters.setGlobal('cluster_name', name);
      return lines(`Setting cluster name to ${name} ...`);
    },
  },
  {
    name: 'set_vm_memory_high_watermark',
    usage: '<fraction> | absolute <value>',
    arguments: { min: 1, max: 2 },
    run: setMemoryWatermark,
  },
  {
    name: 'set_disk_free_limit',
    usage: '<disk_limit> | mem_relative <fraction>',
    arguments: { min: 1, max: 2 },
    run: setDiskLimit,
  },
  {
    name: 'list_feature_flags',
    usage: '[<column> ...]',
    arguments: { min: 0, max: 10 },
    run: ({ args }) => ({
      kind: 'table',
      banner: 'Listing feature flags ...',
      columns: args.length > 0 ? args : ['name', 'state'],
      rows: FEATURE_FLAGS.map((name) => ({
        name,
        state: 'enabled',
        stability: 'stable',
        provided_by: 'rabbit',
      })),
    }),
  },
  {
    name: 'enable_feature_flag',
    usage: '<name> | all',
    arguments: { min: 1, max: 1 },
    run: ({ args: [name = ''] }) => {
      const banner = `Enabling feature flag "${name}" ...`;
      if (name === 'all' || FEATURE_FLAGS.some((flag) => flag === name)) return lines(banner);
      throw new CtlError(
        CTL_EXIT.data,
        `The feature flag "${name}" is not supported by this node`,
        banner,
      );
    },
  },
  {
    name: 'list_node_auth_attempt_stats',
    usage: '',
    arguments: { min: 0, max: 0 },
    run: ({ management }) => ({
      kind: 'table',
      banner: 'Listing authentication attempts ...',
      columns: ['protocol', 'auth_attempts', 'auth_attempts_failed', 'auth_attempts_succeeded'],
      rows: management.broker.security.logins.attempts
        .byProtocol()
        .map(({ protocol, succeeded, failed }) => ({
          protocol,
          auth_attempts: succeeded + failed,
          auth_attempts_failed: failed,
          auth_attempts_succeeded: succeeded,
        })),
    }),
  },
];

function answering(name: string, banner: (call: CtlCall) => string, answer: string): Verb {
  return {
    name,
    usage: '',
    arguments: { min: 0, max: 1 },
    run: (call) => lines(banner(call), answer),
  };
}

async function stopApp({ control, management }: CtlCall): Promise<CtlReply> {
  const banner = `Stopping rabbit application on node ${management.nodeName} ...`;
  if (control === null) throw unmanaged(banner);
  if (control.running) await control.stop();
  return lines(banner);
}

async function startApp({ control, management }: CtlCall): Promise<CtlReply> {
  const banner = `Starting node ${management.nodeName} ...`;
  if (control === null) throw unmanaged(banner);
  if (!control.running) await control.start();
  return lines(banner);
}

const unmanaged = (banner: string): CtlError =>
  new CtlError(
    CTL_EXIT.unavailable,
    'this broker is part of another program, which stops and starts it',
    banner,
  );

function status({ management }: CtlCall): CtlReply {
  const { nodeName, announcedVersion, ports, broker } = management;
  const facts = nodeFacts(management);
  const { memory, disk } = alarms(management);
  const raised = [...(memory ? ['memory'] : []), ...(disk ? ['disk'] : [])];
  const seconds = Math.round((broker.clock.wallMs() - ports.startedAtMs) / 1000);
  return lines(
    `Status of node ${nodeName} ...`,
    'Runtime',
    '',
    `OS PID: ${process.pid}`,
    `OS: ${process.platform}`,
    `Uptime (seconds): ${seconds}`,
    `RabbitMQ version: ${announcedVersion}`,
    `Lyrebird version: ${ports.version}`,
    `Node.js version: ${process.versions.node}`,
    '',
    'Data directory',
    '',
    `Node data directory: ${ports.dataFolder}`,
    '',
    'Alarms',
    '',
    raised.length === 0 ? '(none)' : raised.join(', '),
    '',
    'Memory',
    '',
    `Total memory used: ${facts.residentBytes} bytes`,
    '',
    'Free Disk Space',
    '',
    `Free disk space: ${facts.diskFreeBytes} bytes`,
    '',
    'Listeners',
    '',
    ...listenerRows(management).map(
      ({ ip_address: address, port, protocol }) =>
        `Interface: ${String(address)}, port: ${String(port)}, protocol: ${String(protocol)}`,
    ),
  );
}

/** Compared once with what is used now: an alarm is raised, or taken back, by this command. */
function setMemoryWatermark({ management, args }: CtlCall): CtlReply {
  const [first = '', second] = args;
  const isAbsolute = first === 'absolute';
  const value = Number(isAbsolute ? second : first);
  const banner = `Setting memory threshold on ${management.nodeName} to ${isAbsolute ? second : first} ...`;
  if (!Number.isFinite(value) || value < 0) {
    throw new CtlError(CTL_EXIT.data, 'the threshold must be a number from 0', banner);
  }
  const bytes = isAbsolute ? value : value * totalmem();
  management.queues.setAlarm('memory', process.memoryUsage.rss() > bytes);
  return lines(banner);
}

function setDiskLimit({ management, args }: CtlCall): CtlReply {
  const [first = '', second] = args;
  const isRelative = first === 'mem_relative';
  const value = bytesOf(isRelative ? (second ?? '') : first);
  const banner = `Setting disk free limit on ${management.nodeName} to ${isRelative ? second : first} bytes ...`;
  if (value === null) throw new CtlError(CTL_EXIT.data, 'the limit must be a size', banner);
  const bytes = isRelative ? value * totalmem() : value;
  management.queues.setAlarm('disk', nodeFacts(management).diskFreeBytes < bytes);
  return lines(banner);
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

function bytesOf(text: string): number | null {
  const [, digits = '', unit = ''] = /^([\d.]+)\s*([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase().replace('ib', '')];
  return digits === '' || factor === undefined ? null : Number(digits) * factor;
}
