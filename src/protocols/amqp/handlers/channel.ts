import type { AmqpChannel } from '../channel.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import { writeAccessRequestOk } from '../codec/generated/access.ts';
import {
  readBasicQos,
  readBasicRecover,
  writeBasicQosOk,
  writeBasicRecoverOk,
} from '../codec/generated/basic.ts';
import { readChannelFlow, writeChannelFlowOk } from '../codec/generated/channel.ts';
import { notImplemented } from '../errors.ts';

/** Tickets are a thing of the past: everybody gets the same one. */
const TICKET = 1;

export function accessRequest(channel: AmqpChannel): void {
  writeAccessRequestOk(channel.connection.startOutput(), channel.number, { ticket: TICKET });
}

/** An answer of the client that changes nothing. */
export function ignore(): void {}

export function channelFlow(channel: AmqpChannel, reader: ArgumentReader): void {
  const { active } = readChannelFlow(reader);
  if (!active) throw notImplemented('active=false');
  writeChannelFlowOk(channel.connection.startOutput(), channel.number, { active });
}

export function basicQos(channel: AmqpChannel, reader: ArgumentReader): void {
  const { prefetchSize, prefetchCount, global } = readBasicQos(reader);
  if (prefetchSize !== 0) throw notImplemented(`prefetch_size!=0 (${prefetchSize})`);
  if (global) channel.globalPrefetch = prefetchCount;
  else channel.prefetch = prefetchCount;
  writeBasicQosOk(channel.connection.startOutput(), channel.number);
  if (global) channel.resumeAll();
}

/** All that waits for an acknowledgement goes back to its queues. */
export function basicRecover(
  channel: AmqpChannel,
  reader: ArgumentReader,
  answered: boolean,
): void {
  const { requeue } = readBasicRecover(reader);
  if (!requeue) throw notImplemented('requeue=false');
  channel.unsettled.settleAll('return');
  if (answered) writeBasicRecoverOk(channel.connection.startOutput(), channel.number);
  channel.resumeAll();
}
