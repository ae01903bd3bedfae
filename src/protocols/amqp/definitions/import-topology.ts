import type { Arguments } from '../../../core/queue-types.ts';
import { coreName } from '../arguments.ts';
import type { Entry } from './entry.ts';
import type { EntryImporter, ImportContext } from './importer.ts';
import { isReservedName } from './ports.ts';

const RESERVED = 'names that begin with amq. are reserved';

export const importExchange: EntryImporter = async (context, entry) => {
  const name = entry.text('name');
  const namespace = knownNamespace(context, entry);
  if (isReservedName(name)) return RESERVED;
  const outcome = await context.ports.router.declareExchange({
    namespace,
    name,
    type: entry.text('type'),
    durable: entry.flag('durable', true),
    autoDelete: entry.flag('auto_delete', false),
    internal: entry.flag('internal', false),
    arguments: coreArguments(entry.object('arguments')),
  });
  // One that exists stays as it is.
  if (outcome.status === 'ok' || outcome.status === 'inequivalent') return null;
  throw entry.error(outcome.message);
};

export const importQueue: EntryImporter = async (context, entry) => {
  const name = entry.text('name');
  const namespace = knownNamespace(context, entry);
  if (isReservedName(name)) return RESERVED;
  const values = coreArguments(entry.object('arguments'));
  const type = entry.text('type', 'classic');
  const isTyped = values['queue-type'] !== undefined || type === 'classic';
  const outcome = await context.ports.queues.declare({
    namespace,
    name,
    durable: entry.flag('durable', true),
    autoDelete: entry.flag('auto_delete', false),
    exclusiveOwner: null,
    arguments: isTyped ? values : { ...values, 'queue-type': type },
  });
  if (['ok', 'inequivalent', 'locked'].includes(outcome.status)) return null;
  throw entry.error('message' in outcome ? outcome.message : outcome.status);
};

export const importBinding: EntryImporter = async (context, entry) => {
  const namespace = knownNamespace(context, entry);
  const source = entry.text('source');
  const destination = entry.text('destination');
  const kind = entry.text('destination_type', 'queue');
  if (kind !== 'queue' && kind !== 'exchange' && kind !== 'topic') {
    throw entry.error(`destination_type '${kind}' is not known`);
  }
  if (source === '') return 'every queue is bound to the default exchange by itself';
  const outcome = await context.ports.router.bind({
    namespace,
    source,
    destinationKind: kind,
    destination,
    routingKey: entry.text('routing_key', ''),
    arguments: entry.object('arguments'),
  });
  switch (outcome.status) {
    case 'ok':
    case 'default-exchange':
      return null;
    case 'no-source':
      throw entry.error(`there is no exchange '${source}'`);
    case 'no-destination':
      throw entry.error(`there is no ${kind} '${destination}'`);
    default:
      throw entry.error(outcome.message);
  }
};

function knownNamespace({ ports }: ImportContext, entry: Entry): string {
  const { namespace } = entry;
  if (!ports.broker.namespaces.has(namespace)) {
    throw entry.error(
      `there is no virtual host "${entry.text('vhost', '')}"; create it before importing definitions`,
    );
  }
  return namespace;
}

function coreArguments(values: Arguments): Arguments {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [coreName(name), value]));
}
