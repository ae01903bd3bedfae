import type { BindingOutcome, NewBinding } from '../../../core/routing-types.ts';
import { bindingArguments, plainValue, wireTypeName } from '../arguments.ts';
import type { AmqpChannel } from '../channel.ts';
import { tableGet, type FieldTable } from '../codec/field-table.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import {
  readExchangeBind,
  readExchangeUnbind,
  writeExchangeBindOk,
  writeExchangeUnbindOk,
} from '../codec/generated/exchange.ts';
import {
  readQueueBind,
  readQueueUnbind,
  writeQueueBindOk,
  writeQueueUnbindOk,
} from '../codec/generated/queue.ts';
import { internalError, locked, noExchange, noQueue, preconditionFailed } from '../errors.ts';
import { cleanName } from '../names.ts';
import { queueNamed } from '../queue-names.ts';
import { defaultExchange } from './exchange.ts';

export function queueBind(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readQueueBind(reader);
  const binding = queueBinding(channel, method, method.arguments);
  checkMatch(method.arguments);
  checkEnds(channel, binding);
  checkExclusive(channel, binding.destination);
  bind(channel, binding, () => {
    if (!method.noWait) writeQueueBindOk(channel.connection.startOutput(), channel.number);
  });
}

export function queueUnbind(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readQueueUnbind(reader);
  const binding = queueBinding(channel, method, method.arguments);
  checkEnds(channel, binding);
  if (isBound(channel, binding)) checkExclusive(channel, binding.destination);
  unbind(channel, binding, () => {
    writeQueueUnbindOk(channel.connection.startOutput(), channel.number);
  });
}

export function exchangeBind(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readExchangeBind(reader);
  const binding = exchangeBinding(channel, method);
  checkMatch(method.arguments);
  checkEnds(channel, binding);
  bind(channel, binding, () => {
    if (!method.noWait) writeExchangeBindOk(channel.connection.startOutput(), channel.number);
  });
}

export function exchangeUnbind(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readExchangeUnbind(reader);
  const binding = exchangeBinding(channel, method);
  checkEnds(channel, binding);
  unbind(channel, binding, () => {
    if (!method.noWait) writeExchangeUnbindOk(channel.connection.startOutput(), channel.number);
  });
}

function queueBinding(
  channel: AmqpChannel,
  method: { readonly queue: string; readonly exchange: string; readonly routingKey: string },
  table: FieldTable,
): NewBinding {
  const { connection, services } = channel;
  const destination = queueNamed(channel, method.queue);
  const source = cleanName(method.exchange);
  const isTopic =
    services.queues.byName(connection.namespace, destination) === null &&
    services.broker.topics.byName(connection.namespace, destination) !== null;
  // No queue and no key: the queue's name is meant as the key, too.
  const routingKey =
    method.queue === '' && method.routingKey === '' ? destination : method.routingKey;
  return {
    namespace: connection.namespace,
    source,
    destinationKind: isTopic ? 'topic' : 'queue',
    destination,
    routingKey,
    arguments: bindingArguments(table),
  };
}

function exchangeBinding(
  channel: AmqpChannel,
  method: {
    readonly source: string;
    readonly destination: string;
    readonly routingKey: string;
    readonly arguments: FieldTable;
  },
): NewBinding {
  return {
    namespace: channel.connection.namespace,
    source: cleanName(method.source),
    destinationKind: 'exchange',
    destination: cleanName(method.destination),
    routingKey: method.routingKey,
    arguments: bindingArguments(method.arguments),
  };
}

/** Binding takes the right to write to the destination and to read from the source. */
function checkEnds(channel: AmqpChannel, binding: NewBinding): void {
  const { connection } = channel;
  const { source, destination, destinationKind, routingKey } = binding;
  if (source === '' || (destinationKind === 'exchange' && destination === '')) {
    throw defaultExchange();
  }
  const kind = destinationKind === 'exchange' ? 'exchange' : 'queue';
  connection.access.check('write', kind, destination);
  connection.access.check('read', 'exchange', source);
  connection.access.checkTopic('read', source, routingKey);
}

function checkExclusive({ connection, services }: AmqpChannel, name: string): void {
  const queue = services.queues.byName(connection.namespace, name);
  if (queue === null || queue.exclusiveOwner === null) return;
  if (queue.exclusiveOwner !== connection.id) throw locked(name, connection.vhost);
}

/** Of a queue of somebody else's, what is not bound may be unbound. */
function isBound(
  { services }: AmqpChannel,
  { namespace, source, destination, routingKey }: NewBinding,
): boolean {
  const bindings = services.router.bindings(namespace, { source, destination });
  return bindings.some((binding) => binding.routingKey === routingKey);
}

/** How headers are matched is told by a word. */
function checkMatch(table: FieldTable): void {
  const field = tableGet(table, 'x-match');
  if (field === null || field.type === 'S') return;
  throw preconditionFailed(
    `Invalid x-match field type ${wireTypeName(field)} (value ${JSON.stringify(plainValue(field))}); expected longstr`,
  );
}

function bind(channel: AmqpChannel, binding: NewBinding, answer: () => void): void {
  channel.later(channel.services.router.bind(binding), (outcome) => {
    checkOutcome(channel, binding, outcome);
    answer();
  });
}

/** What is not bound, or not even there, is as good as unbound. */
function unbind(channel: AmqpChannel, binding: NewBinding, answer: () => void): void {
  channel.later(channel.services.router.unbind(binding), (outcome) => {
    if (outcome.status === 'failed') throw internalError(outcome.message);
    answer();
  });
}

function checkOutcome(channel: AmqpChannel, binding: NewBinding, outcome: BindingOutcome): void {
  const { vhost } = channel.connection;
  const { source, destination, destinationKind } = binding;
  switch (outcome.status) {
    case 'ok':
      return;
    case 'no-source':
      throw noExchange(source, vhost);
    case 'no-destination':
      throw destinationKind === 'exchange'
        ? noExchange(destination, vhost)
        : noQueue(destination, vhost);
    case 'default-exchange':
      throw defaultExchange();
    case 'invalid-argument':
    case 'limit':
      throw preconditionFailed(outcome.message);
    case 'failed':
      throw internalError(outcome.message);
  }
}
