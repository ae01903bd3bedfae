import { createDeferred } from '../../../base/deferred.ts';
import type { Delivery } from '../../../core/queue-types.ts';
import type { AmqpChannel } from '../channel.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import { writeGetOk } from '../codec/content-writer.ts';
import { readBasicGet, writeBasicGetEmpty } from '../codec/generated/basic.ts';
import { named, notImplemented } from '../errors.ts';
import { fillContent } from '../outgoing.ts';
import { queueNamed, usableQueue } from '../queue-names.ts';
import { streamNamed } from '../stream/stream-queues.ts';

export function basicGet(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readBasicGet(reader);
  const { connection } = channel;
  const { noAck } = method;
  const name = queueNamed(channel, method.queue);
  connection.access.check('read', 'queue', name);
  if (streamNamed(channel, name) !== null) {
    throw notImplemented(
      `basic.get not supported by stream queues ${named('queue', name, connection.vhost)}`,
    );
  }
  const queue = usableQueue(channel, name);
  const waiting = createDeferred<void>();
  let answered = false;
  queue.get({ noAck }, (delivery) => {
    answered = true;
    answer(channel, noAck, delivery);
    waiting.resolve();
  });
  // The message is on disk: the channel goes on when it was read.
  if (!answered) channel.later(waiting.promise, () => {});
}

function answer(channel: AmqpChannel, noAck: boolean, delivery: Delivery | null): void {
  const { connection, services, unsettled } = channel;
  const { counters } = services;
  if (channel.phase !== 'open') {
    // Closed meanwhile: nobody will get it.
    if (delivery !== null && !noAck) delivery.queue.settle(delivery.ref, 'requeue');
    return;
  }
  if (delivery === null) {
    counters.gotEmpty++;
    writeBasicGetEmpty(connection.startOutput(), channel.number);
    return;
  }
  if (noAck) counters.gotNoAck++;
  else counters.got++;
  if (delivery.redelivered) counters.redelivered++;
  const deliveryTag = noAck ? unsettled.skip() : unsettled.add(delivery.queue, delivery.ref, null);
  const { redelivered, queue, message } = delivery;
  const content = fillContent(services, message, services.scratch.content, delivery);
  writeGetOk(
    connection.startOutput(),
    channel.number,
    { deliveryTag, redelivered, messageCount: queue.counts.ready },
    content,
  );
}
