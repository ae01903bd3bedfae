import type { AmqpChannel } from '../channel.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import {
  readExchangeDeclare,
  readExchangeDelete,
  writeExchangeDeclareOk,
  writeExchangeDeleteOk,
  type ExchangeDeclare,
} from '../codec/generated/exchange.ts';
import { REPLY_CODE } from '../codec/generated/reply-codes.ts';
import { declaredArguments, wireName } from '../arguments.ts';
import {
  accessRefused,
  AmqpError,
  inequivalent,
  internalError,
  named,
  noExchange,
  preconditionFailed,
} from '../errors.ts';
import { cleanName, isReserved } from '../names.ts';

export function exchangeDeclare(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readExchangeDeclare(reader);
  const { connection, services } = channel;
  const { router } = services;
  const name = cleanName(method.exchange);
  const answer = (): void => {
    if (!method.noWait) writeExchangeDeclareOk(connection.startOutput(), channel.number);
  };
  if (name === '') throw defaultExchange();
  const known = router.exchange(connection.namespace, name);
  if (method.passive) {
    if (known === null) throw noExchange(name, connection.vhost);
    answer();
    return;
  }
  connection.access.check('configure', 'exchange', name);
  if (known === null && isReserved(name)) {
    throw accessRefused(`exchange name '${name}' contains reserved prefix 'amq.*'`);
  }
  const values = declaredArguments(method.arguments);
  checkAlternate(channel, name, values['alternate-exchange']);
  const outcome = router.declareExchange({
    namespace: connection.namespace,
    name,
    type: method.type,
    durable: method.durable,
    autoDelete: method.autoDelete,
    internal: method.internal,
    arguments: values,
  });
  channel.later(outcome, (result) => {
    switch (result.status) {
      case 'ok':
        answer();
        break;
      case 'inequivalent':
        throw inequivalent(named('exchange', name, connection.vhost), {
          ...result,
          property: wireName(result.property),
        });
      case 'unknown-type':
        throw unknownType(method);
      case 'invalid-argument':
        throw preconditionFailed(result.message);
      case 'limit':
        throw preconditionFailed(result.message);
      case 'failed':
        throw internalError(result.message);
    }
  });
}

export function exchangeDelete(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readExchangeDelete(reader);
  const { connection, services } = channel;
  const name = cleanName(method.exchange);
  if (name === '') throw defaultExchange();
  connection.access.check('configure', 'exchange', name);
  const subject = named('exchange', name, connection.vhost);
  if (isReserved(name)) throw accessRefused(`deletion of system ${subject} not allowed`);
  const outcome = services.router.deleteExchange(connection.namespace, name, {
    ifUnused: method.ifUnused,
  });
  channel.later(outcome, ({ status }) => {
    switch (status) {
      case 'predeclared':
        throw accessRefused(`deletion of system ${subject} not allowed`);
      case 'in-use':
        throw preconditionFailed(`${subject} in use`);
      case 'failed':
        throw internalError(`${subject} could not be deleted`);
      default:
        // One that is not there is as good as deleted.
        if (!method.noWait) writeExchangeDeleteOk(connection.startOutput(), channel.number);
    }
  });
}

export const defaultExchange = (): AmqpError =>
  accessRefused('operation not permitted on the default exchange');

const unknownType = ({ type }: ExchangeDeclare): AmqpError =>
  // RabbitMQ before 3.13 closed the connection for it.
  new AmqpError(REPLY_CODE.PRECONDITION_FAILED, `invalid exchange type '${type}'`);

/** Sending messages on to another exchange takes the rights to read this one and to write to that one. */
function checkAlternate(channel: AmqpChannel, name: string, alternate: unknown): void {
  if (alternate === undefined) return;
  const { access, vhost } = channel.connection;
  if (typeof alternate !== 'string') {
    throw preconditionFailed(
      `invalid arg 'alternate-exchange' for ${named('exchange', name, vhost)}: a name expected`,
    );
  }
  access.check('read', 'exchange', name);
  access.check('write', 'exchange', alternate);
}
