import type { Arguments, QueueView } from '../../core/queue-types.ts';
import { declaredArguments, wireTypeName } from './arguments.ts';
import { tableGet, type FieldTable } from './codec/field-table.ts';
import type { QueueDeclare } from './codec/generated/queue.ts';
import { AmqpError, inequivalent, named, preconditionFailed } from './errors.ts';
import type { DeclarationScope } from './services.ts';

const TYPES = ['classic', 'quorum', 'stream'];
/** Deliveries that come back to a quorum queue before they are dead-lettered, where nothing is said. */
const QUORUM_DELIVERY_LIMIT = 20;

type Check = 'count' | 'positive' | 'limit' | 'text' | 'priority' | 'boolean';

/** What each argument must be. The order is that in which clients are told. */
const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['x-expires', 'positive'],
  ['x-message-ttl', 'count'],
  ['x-dead-letter-exchange', 'text'],
  ['x-dead-letter-routing-key', 'text'],
  ['x-max-length', 'count'],
  ['x-max-length-bytes', 'count'],
  ['x-max-priority', 'priority'],
  ['x-overflow', 'text'],
  ['x-queue-mode', 'text'],
  ['x-single-active-consumer', 'boolean'],
  ['x-delivery-limit', 'limit'],
  ['x-delayed-retry-type', 'text'],
  ['x-delayed-retry-min', 'count'],
  ['x-delayed-retry-max', 'count'],
  ['x-queue-type', 'text'],
];
const OVERFLOWS = ['drop-head', 'reject-publish', 'reject-publish-dlx'];
const MODES = ['default', 'lazy'];
const TIMER_MS_MAX = 4_294_967_295;
const PRIORITY_MAX = 255;

/** What a queue of the type cannot have. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  classic: [],
  quorum: ['x-max-priority', 'x-queue-mode', 'x-max-age', 'x-stream-max-segment-size-bytes'],
  stream: [
    'x-dead-letter-exchange',
    'x-dead-letter-routing-key',
    'x-message-ttl',
    'x-expires',
    'x-max-length',
    'x-max-priority',
    'x-overflow',
    'x-single-active-consumer',
    'x-delivery-limit',
  ],
};

/** Taken without an effect: there is one node, and memory is not what bounds a queue here. */
const WITHOUT_EFFECT = new Set([
  // A queue remembers keys for as long as x-deduplication-window says.
  'x-message-deduplication',
  'x-consumer-timeout',
  'x-consumer-disconnected-timeout',
  'x-queue-mode',
  'x-queue-version',
  'x-queue-master-locator',
  'x-queue-leader-locator',
  'x-quorum-initial-group-size',
  'x-initial-cluster-size',
  'x-max-in-memory-length',
  'x-max-in-memory-bytes',
  'x-dead-letter-strategy',
  'x-quorum-target-group-size',
  'x-stream-filter-size-bytes',
]);

/** What has an effect for one type of queue and is taken without one for the others. */
const ONLY_FOR: Readonly<Record<string, string>> = {
  'x-max-age': 'stream',
  'x-stream-max-segment-size-bytes': 'stream',
  'x-delayed-retry-type': 'quorum',
  'x-delayed-retry-min': 'quorum',
  'x-delayed-retry-max': 'quorum',
};

/** Arguments of a declaration, when they make sense. Throws in RabbitMQ's words. */
export function checkQueueArguments(
  channel: DeclarationScope,
  name: string,
  method: QueueDeclare,
  known: QueueView | null,
): Arguments {
  const { vhost, namespace } = channel.connection;
  const { broker } = channel.services;
  const subject = named('queue', name, vhost);
  const table = method.arguments;
  for (const [argument, check] of CHECKS) {
    const fault = faultOf(table, argument, check);
    if (fault !== null) throw preconditionFailed(explain(argument, fault, subject));
  }
  const values: Record<string, Arguments[string]> = { ...declaredArguments(table) };
  const given = values['queue-type'];
  const type =
    typeof given === 'string' && given !== '' && given !== 'undefined'
      ? given
      : usualType(method, broker.namespaces.get(namespace)?.defaultQueueType ?? null);
  if (TYPES.includes(type)) checkSameType(type, given, subject, known);
  checkType(type, subject, method);
  for (const { key } of table) {
    const elsewhere = ONLY_FOR[key];
    if (!WITHOUT_EFFECT.has(key) && (elsewhere === undefined || elsewhere === type)) continue;
    broker.logger.info('amqp.argument-without-effect', `${key} has no effect here`, {
      queue: name,
      vhost,
    });
  }
  // A classic queue is one whether it says so or not.
  if (type === 'classic') delete values['queue-type'];
  else values['queue-type'] = type;
  if (type === 'quorum') {
    values['delivery-limit'] ??= QUORUM_DELIVERY_LIMIT;
    setRetryDelay(values);
  }
  return values;
}

/** What comes back to a quorum queue waits before it is delivered again, where that is asked for. */
function setRetryDelay(values: Record<string, Arguments[string]>): void {
  const { 'x-delayed-retry-type': type, 'x-delayed-retry-min': min } = values;
  if (type === undefined || type === 'disabled' || min === undefined) return;
  values['retry-delay-min'] = min;
  values['retry-delay-max'] = values['x-delayed-retry-max'] ?? min;
}

/** RabbitMQ words a wrong type of some arguments differently. */
function explain(argument: string, fault: string, subject: string): string {
  const type = /^\{unacceptable_type,(\w+)\}$/.exec(fault)?.[1];
  if (argument.startsWith('x-dead-letter') && type !== undefined) {
    return `invalid type '${type}' for arg '${argument}' in ${subject}`;
  }
  return `invalid arg '${argument}' for ${subject}: ${fault}`;
}

/** The virtual host's type where the queue can be of it. */
function usualType(method: QueueDeclare, preferred: string | null): string {
  const durable = method.durable && !method.exclusive && !method.autoDelete;
  return preferred !== null && durable ? preferred : 'classic';
}

/** The type is compared before anything that depends on it is looked at. */
function checkSameType(
  type: string,
  given: unknown,
  subject: string,
  known: QueueView | null,
): void {
  if (known === null) return;
  const current = known.arguments['queue-type'] ?? 'classic';
  if (current === type) return;
  throw inequivalent(subject, {
    property: 'x-queue-type',
    received: typeof given === 'string' ? given : 'none',
    current: typeof current !== 'string' || current === 'classic' ? 'none' : current,
  });
}

function checkType(type: string, subject: string, method: QueueDeclare): void {
  if (!TYPES.includes(type)) {
    throw new AmqpError(
      406,
      `invalid arg 'x-queue-type' for ${subject}: "unsupported queue type '${type}'"`,
    );
  }
  if (type === 'classic') return;
  const invalid = (property: string): AmqpError =>
    preconditionFailed(`invalid property '${property}' for ${subject}`);
  if (!method.durable) throw invalid('non-durable');
  if (method.exclusive) throw invalid('exclusive-owner');
  if (method.autoDelete) throw invalid('auto-delete');
  if (method.queue === '') {
    throw preconditionFailed(`Cannot declare a server-named queue for type rabbit_${type}_queue`);
  }
  for (const argument of REFUSED[type] ?? []) {
    if (tableGet(method.arguments, argument) === null) continue;
    throw preconditionFailed(
      `invalid arg '${argument}' for ${subject} of queue type rabbit_${type}_queue`,
    );
  }
}

/** What is wrong with an argument, or null. */
function faultOf(table: FieldTable, argument: string, check: Check): string | null {
  const field = tableGet(table, argument);
  if (field === null) return null;
  const { value } = field;
  if (check === 'text') {
    if (typeof value !== 'string') return `{unacceptable_type,${wireTypeName(field)}}`;
    if (argument === 'x-overflow' && !OVERFLOWS.includes(value)) return 'invalid_overflow';
    if (argument === 'x-queue-mode' && !MODES.includes(value)) {
      return `"unsupported queue mode '${value}'"`;
    }
    if (
      argument === 'x-dead-letter-routing-key' &&
      tableGet(table, 'x-dead-letter-exchange') === null
    ) {
      return 'routing_key_but_no_dlx_defined';
    }
    return null;
  }
  if (check === 'boolean') {
    return typeof value === 'boolean' ? null : `{unacceptable_type,${wireTypeName(field)}}`;
  }
  const isFloat = field.type === 'd' || field.type === 'f';
  if (typeof value !== 'number' || isFloat || !Number.isInteger(value)) {
    return `"expected integer, got ${wireTypeName(field)}"`;
  }
  // -1 is no limit.
  if (check === 'limit' && value === -1) return null;
  if (value < 0) return `{value_negative,${value}}`;
  if (check === 'positive' && value === 0) return '{value_zero,0}';
  if (check === 'priority' && value > PRIORITY_MAX) {
    return `{max_value_exceeded,${value}}`;
  }
  const isTime = argument === 'x-expires' || argument === 'x-message-ttl';
  if (isTime && value > TIMER_MS_MAX) return `{value_too_big,${value}}`;
  return null;
}
