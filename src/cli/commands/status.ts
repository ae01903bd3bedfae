import type { Command } from 'commander';
import type { BrokerInfo, StatusInfo } from '../../admin/api.ts';
import { formatBytes, formatDuration } from '../../config/units.ts';
import {
  adminClient,
  withExamples,
  withOutput,
  withServer,
  type ServerOptions,
} from '../options.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { printObject, renderFacts } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { watched, withWatch, type WatchOptions } from '../watch.ts';

export function statusCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('status')
    .description('show whether a broker is ready, and what it does');
  withExamples(
    withWatch(withServer(withOutput(command))),
    'lyrebird status',
    'lyrebird status --json',
  );
  command.action(async (options: ServerOptions & WatchOptions) => {
    const client = adminClient(terminal, options);
    await watched(terminal, options, async () => {
      const [broker, status] = await Promise.all([
        client.get<BrokerInfo>('/broker'),
        client.get<StatusInfo>('/status'),
      ]);
      printObject(terminal, options, { broker, status }, () => render(broker, status));
      if (!status.ready) throw new CommandError(EXIT.refused, 'the broker is not ready');
    });
  });
}

function render(broker: BrokerInfo, status: StatusInfo): string {
  const { storage } = broker;
  return renderFacts([
    ['Ready', status.ready ? 'yes' : 'no'],
    ['Version', `${broker.version} (Node.js ${broker.nodeVersion}, pid ${broker.pid})`],
    ['Cluster', `${broker.clusterId}, node ${broker.nodeId}`],
    ['Up', formatDuration(status.uptimeMs)],
    ['Storage', `${storage.path ?? storage.kind}, durability ${storage.durability}`],
    ...broker.listeners.map(
      (listener) => ['Listener', `${listener.scheme}://${listener.host}:${listener.port}`] as const,
    ),
    ['Topics', `${status.topics}, ${status.partitions} partitions`],
    ['Groups', status.groups],
    ['Connections', status.connections],
    ['Traffic', `${formatBytes(status.bytesIn)} in, ${formatBytes(status.bytesOut)} out`],
    ['Disk', `${status.disk.state}, ${formatBytes(status.disk.freeBytes)} free`],
    ['Data', formatBytes(status.disk.journalBytes + status.disk.segmentBytes)],
    ['Memory', formatBytes(status.memory.rssBytes)],
    ...status.components
      .filter((component) => !component.ok)
      .map(
        (component) =>
          ['Problem', `${component.name}: ${component.reason ?? 'not ready'}`] as const,
      ),
  ]);
}
