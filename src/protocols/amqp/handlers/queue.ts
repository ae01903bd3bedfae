import type { QueueOutcome, QueueView } from '../../../core/queue-types.ts';
import { declaredArguments, wireName } from '../arguments.ts';
import type { AmqpChannel } from '../channel.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import {
  readQueueDeclare,
  readQueueDelete,
  readQueuePurge,
  writeQueueDeclareOk,
  writeQueueDeleteOk,
  writeQueuePurgeOk,
  type QueueDeclare,
} from '../codec/generated/queue.ts';
import { REPLY_TO_QUEUE } from '../direct-reply.ts';
import {
  accessRefused,
  inequivalent,
  internalError,
  locked,
  named,
  noQueue,
  notImplemented,
  preconditionFailed,
  type AmqpError,
} from '../errors.ts';
import { cleanName, isReserved } from '../names.ts';
import { checkQueueArguments } from '../queue-arguments.ts';
import { queueNamed, usableQueue } from '../queue-names.ts';
import {
  checkNoStream,
  declareStream,
  deleteStream,
  streamNamed,
} from '../stream/stream-queues.ts';

const GENERATED_PREFIX = 'amq.gen-';
const GENERATED_BYTES = 16;

export function queueDeclare(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readQueueDeclare(reader);
  const { connection, services } = channel;
  services.counters.queuesDeclared++;
  if (method.queue === REPLY_TO_QUEUE) {
    answerDeclare(channel, method, { name: REPLY_TO_QUEUE, ready: 0, consumers: 1 });
    return;
  }
  if (method.passive) {
    declarePassively(channel, method);
    return;
  }
  const generated = method.queue === '';
  const name = generated ? generatedName(channel, method) : cleanName(method.queue);
  connection.access.check('configure', 'queue', name);
  const known = services.queues.byName(connection.namespace, name);
  if (known !== null) checkExclusivity(channel, known, method);
  const values = checkQueueArguments(channel, name, method, known);
  checkDeadLetterRights(channel, name, values);
  if (values['queue-type'] === 'stream') {
    channel.later(declareStream(channel, name, values), () => {
      channel.lastQueue = name;
      const { ready, consumers } = streamNamed(channel, name) ?? { ready: 0, consumers: 0 };
      answerDeclare(channel, method, { name, ready, consumers });
    });
    return;
  }
  if (known === null) checkNoStream(channel, name, values);
  if (known === null && !generated && isReserved(name)) {
    throw accessRefused(`queue name '${name}' contains reserved prefix 'amq.*'`);
  }
  const outcome = services.queues.declare({
    namespace: connection.namespace,
    name,
    durable: method.durable && !method.exclusive,
    autoDelete: method.autoDelete,
    exclusiveOwner: method.exclusive ? connection.id : null,
    arguments: values,
  });
  channel.later(outcome, (result) => {
    const queue = declared(channel, name, result);
    channel.lastQueue = name;
    answerDeclare(channel, method, {
      name,
      ready: queue.counts.ready,
      consumers: queue.consumers.length,
    });
  });
}

function declarePassively(channel: AmqpChannel, method: QueueDeclare): void {
  const { connection, services } = channel;
  if (method.queue === '' && channel.lastQueue === null) throw noQueue('', connection.vhost);
  const name = queueNamed(channel, method.queue);
  if (services.directReplies.isAddress(name)) {
    if (services.directReplies.find(name) === null) throw noQueue(name, connection.vhost);
    answerDeclare(channel, method, { name, ready: 0, consumers: 1 });
    return;
  }
  const stream = streamNamed(channel, name);
  if (stream !== null) {
    channel.lastQueue = name;
    answerDeclare(channel, method, { name, ...stream });
    return;
  }
  const queue = usableQueue(channel, name);
  queue.used();
  channel.lastQueue = name;
  answerDeclare(channel, method, {
    name,
    ready: queue.counts.ready,
    consumers: queue.consumers.length,
  });
}

/** Looked at before anything else that two declarations may differ in. */
function checkExclusivity(channel: AmqpChannel, known: QueueView, method: QueueDeclare): void {
  const { id, vhost } = channel.connection;
  const owner = method.exclusive ? id : null;
  // A client may leave out that a queue of its own is exclusive.
  if (known.exclusiveOwner === owner || known.exclusiveOwner === id) return;
  throw locked(known.name, vhost);
}

function answerDeclare(
  channel: AmqpChannel,
  { noWait }: QueueDeclare,
  queue: { readonly name: string; readonly ready: number; readonly consumers: number },
): void {
  if (noWait) return;
  writeQueueDeclareOk(channel.connection.startOutput(), channel.number, {
    queue: queue.name,
    messageCount: queue.ready,
    consumerCount: queue.consumers,
  });
}

/** The queue, or what kept it from being declared. */
function declared(channel: AmqpChannel, name: string, outcome: QueueOutcome): QueueView {
  if (outcome.status === 'ok') return outcome.queue;
  throw refusal(channel, name, outcome);
}

function refusal(
  channel: AmqpChannel,
  name: string,
  outcome: Exclude<QueueOutcome, { status: 'ok' }>,
): AmqpError {
  const { vhost } = channel.connection;
  const subject = named('queue', name, vhost);
  switch (outcome.status) {
    case 'locked':
      return locked(name, vhost);
    case 'inequivalent':
      return outcome.property === 'exclusive'
        ? locked(name, vhost)
        : inequivalent(subject, { ...outcome, property: wireName(outcome.property) });
    case 'invalid-argument':
      return preconditionFailed(
        `invalid arg '${wireName(outcome.argument)}' for ${subject}: ${outcome.message}`,
      );
    case 'limit':
      return preconditionFailed(outcome.message);
    default:
      return internalError(outcome.message);
  }
}

function generatedName(channel: AmqpChannel, method: QueueDeclare): string {
  const { random } = channel.services.broker;
  const prefix = declaredArguments(method.arguments)['x-name-prefix'];
  const random22 = random.bytes(GENERATED_BYTES).toString('base64url');
  return (typeof prefix === 'string' ? prefix : GENERATED_PREFIX) + random22;
}

/** Dead letters are read from this queue and written to that exchange, in the declarer's name. */
function checkDeadLetterRights(
  channel: AmqpChannel,
  name: string,
  values: ReturnType<typeof declaredArguments>,
): void {
  const exchange = values['dead-letter-exchange'];
  if (typeof exchange !== 'string') return;
  channel.connection.access.check('read', 'queue', name);
  channel.connection.access.check('write', 'exchange', exchange);
}

export function queueDelete(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readQueueDelete(reader);
  const { connection, services } = channel;
  const name = queueNamed(channel, method.queue);
  connection.access.check('configure', 'queue', name);
  const answer = (messageCount: number): void => {
    if (!method.noWait) {
      writeQueueDeleteOk(connection.startOutput(), channel.number, { messageCount });
    }
  };
  if (streamNamed(channel, name) !== null) {
    channel.later(deleteStream(channel, name), () => answer(0));
    return;
  }
  if (services.queues.byName(connection.namespace, name) === null) {
    answer(0); // one that is not there is as good as deleted
    return;
  }
  usableQueue(channel, name);
  const { ifUnused, ifEmpty } = method;
  const outcome = services.queues.delete(connection.namespace, name, { ifUnused, ifEmpty });
  channel.later(outcome, (result) => {
    const subject = named('queue', name, connection.vhost);
    switch (result.status) {
      case 'in-use':
        throw preconditionFailed(`${subject} in use`);
      case 'not-empty':
        throw preconditionFailed(`${subject} not empty`);
      case 'failed':
        throw internalError(`${subject} could not be deleted`);
      case 'unknown':
        answer(0);
        break;
      case 'ok':
        answer(result.messages);
    }
  });
}

export function queuePurge(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readQueuePurge(reader);
  const { connection } = channel;
  const name = queueNamed(channel, method.queue);
  connection.access.check('read', 'queue', name);
  if (streamNamed(channel, name) !== null) {
    throw notImplemented(
      `queue.purge not supported by stream queues ${named('queue', name, connection.vhost)}`,
    );
  }
  const queue = usableQueue(channel, name);
  channel.later(queue.purge(), (messageCount) => {
    if (!method.noWait) {
      writeQueuePurgeOk(connection.startOutput(), channel.number, { messageCount });
    }
  });
}
