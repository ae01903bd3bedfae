import type { Namespace } from '../../../core/namespace/namespace-store.ts';
import type { Policy } from '../../../core/policy/policy-types.ts';
import type { Arguments, ArgumentValue, QueueView } from '../../../core/queue-types.ts';
import type { BindingView, ExchangeView } from '../../../core/routing-types.ts';
import type { User } from '../../../security/user-store.ts';
import { wireArguments } from '../arguments.ts';
import { namespaceOf, vhostOf } from '../vhost.ts';
import { isReservedName, type DefinitionsPorts } from './ports.ts';

type Json = Readonly<Record<string, unknown>>;

/** Version that the document says it comes from: what a RabbitMQ that imports it makes of it. */
export interface ExportOptions {
  readonly version: string;
}

/** Everything of a broker, or of one virtual host (null when there is no such). */
export function exportDefinitions(
  ports: DefinitionsPorts,
  vhost: string | null,
  { version }: ExportOptions,
): Json | null {
  const head = { rabbit_version: version, rabbitmq_version: version, product_name: 'RabbitMQ' };
  if (vhost === null) {
    return { ...head, rabbitmq_definition_format: 'cluster', ...everything(ports) };
  }
  const namespace = ports.broker.namespaces.get(namespaceOf(vhost));
  if (namespace === null) return null;
  const { description, metadata } = vhostEntry(namespace);
  return {
    ...head,
    rabbitmq_definition_format: 'single_virtual_host',
    original_vhost_name: vhost,
    description,
    metadata,
    ...mapSections(contents(ports, namespace), withoutVhost),
  };
}

function everything(ports: DefinitionsPorts): Json {
  const { namespaces, security, parameters } = ports.broker;
  const all = namespaces.list();
  const own = all.map((namespace) => contents(ports, namespace));
  const section = (name: keyof Contents): readonly Json[] => own.flatMap((one) => one[name]);
  const { permissions } = security;
  return {
    users: security.users.list().map(userEntry),
    vhosts: all.map(vhostEntry),
    permissions: permissions.list().map(({ namespace, user, configure, write, read }) => ({
      user,
      vhost: vhostOf(namespace),
      configure,
      write,
      read,
    })),
    topic_permissions: permissions
      .listTopics()
      .map(({ namespace, user, exchange, write, read }) => ({
        user,
        vhost: vhostOf(namespace),
        exchange,
        write,
        read,
      })),
    parameters: section('parameters'),
    global_parameters: parameters.listGlobal().map(({ name, value }) => ({ name, value })),
    policies: section('policies'),
    queues: section('queues'),
    exchanges: section('exchanges'),
    bindings: section('bindings'),
  };
}

interface Contents {
  readonly parameters: readonly Json[];
  readonly policies: readonly Json[];
  readonly queues: readonly Json[];
  readonly exchanges: readonly Json[];
  readonly bindings: readonly Json[];
}

function contents({ broker, queues, router }: DefinitionsPorts, { name, limits }: Namespace) {
  const vhost = vhostOf(name);
  const kept = queues.list(name).filter(({ exclusiveOwner }) => exclusiveOwner === null);
  const keptNames = new Set(kept.map((queue) => queue.name));
  const vhostLimits = limitsObject({
    'max-connections': limits.maxConnections,
    'max-queues': limits.maxQueues,
  });
  const sections: Contents = {
    parameters: [
      ...broker.parameters.list({ namespace: name }).map((parameter) => ({
        vhost,
        component: parameter.component,
        name: parameter.name,
        value: parameter.value,
      })),
      ...broker.policies.list('operator-policy', name).map((policy) => ({
        vhost,
        component: 'operator_policy',
        name: policy.name,
        value: policyValue(policy),
      })),
      ...(Object.keys(vhostLimits).length === 0
        ? []
        : [{ vhost, component: 'vhost-limits', name: 'limits', value: vhostLimits }]),
    ],
    policies: broker.policies
      .list('policy', name)
      .map((policy) => ({ vhost, name: policy.name, ...policyValue(policy) })),
    queues: kept.map((queue) => queueEntry(vhost, queue)),
    exchanges: router
      .exchanges(name)
      .filter((exchange) => !isReservedName(exchange.name))
      .map((exchange) => exchangeEntry(vhost, exchange)),
    bindings: router
      .bindings(name)
      .filter(
        ({ source, destinationKind, destination }) =>
          source !== '' && (destinationKind !== 'queue' || keptNames.has(destination)),
      )
      .map((binding) => bindingEntry(vhost, binding)),
  };
  return sections;
}

function mapSections(sections: Contents, change: (entry: Json) => Json): Json {
  return Object.fromEntries(
    Object.entries(sections).map(([name, entries]: [string, readonly Json[]]) => [
      name,
      entries.map(change),
    ]),
  );
}

function withoutVhost(entry: Json): Json {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'vhost'));
}

function userEntry({ name, password, tags, limits }: User): Json {
  return {
    name,
    password_hash: password?.hash ?? '',
    hashing_algorithm: `rabbit_password_hashing_${password?.algorithm ?? 'sha256'}`,
    tags,
    limits: limitsObject({
      'max-connections': limits.maxConnections,
      'max-channels': limits.maxChannels,
    }),
  };
}

function vhostEntry(namespace: Namespace) {
  const { name, description, tags, defaultQueueType, tracing } = namespace;
  const type = defaultQueueType === null ? {} : { default_queue_type: defaultQueueType };
  return {
    name: vhostOf(name),
    description,
    tags,
    ...type,
    metadata: { ...namespace.metadata, description, tags, ...type },
    tracing,
  };
}

function queueEntry(vhost: string, queue: QueueView): Json {
  const { name, durable, autoDelete } = queue;
  const type = queue.arguments['queue-type'] ?? 'classic';
  const values = wireArguments(queue.arguments);
  return { name, vhost, type, durable, auto_delete: autoDelete, arguments: values };
}

function exchangeEntry(vhost: string, exchange: ExchangeView): Json {
  const { name, type, durable, autoDelete, internal } = exchange;
  const values = wireArguments(exchange.arguments);
  return { name, vhost, type, durable, auto_delete: autoDelete, internal, arguments: values };
}

function bindingEntry(vhost: string, binding: BindingView): Json {
  const { source, destination, destinationKind, routingKey } = binding;
  return {
    source,
    vhost,
    destination,
    destination_type: destinationKind,
    routing_key: routingKey,
    arguments: binding.arguments,
  };
}

function policyValue({ pattern, applyTo, priority, definition }: Policy): Arguments {
  return { pattern, 'apply-to': applyTo, priority, definition };
}

/** Only those that limit. */
function limitsObject(limits: Readonly<Record<string, number | null>>): Arguments {
  const entries = Object.entries(limits).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as Readonly<Record<string, ArgumentValue>>;
}
