import type { AmqpChannel } from '../channel.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import { ACCESS_REQUEST } from '../codec/generated/access.ts';
import {
  BASIC_CANCEL,
  BASIC_CANCEL_OK,
  BASIC_CONSUME,
  BASIC_GET,
  BASIC_QOS,
  BASIC_RECOVER,
  BASIC_RECOVER_ASYNC,
} from '../codec/generated/basic.ts';
import { CHANNEL_FLOW, CHANNEL_FLOW_OK } from '../codec/generated/channel.ts';
import { CONFIRM_SELECT } from '../codec/generated/confirm.ts';
import {
  EXCHANGE_BIND,
  EXCHANGE_DECLARE,
  EXCHANGE_DELETE,
  EXCHANGE_UNBIND,
} from '../codec/generated/exchange.ts';
import {
  QUEUE_BIND,
  QUEUE_DECLARE,
  QUEUE_DELETE,
  QUEUE_PURGE,
  QUEUE_UNBIND,
} from '../codec/generated/queue.ts';
import { TX_COMMIT, TX_ROLLBACK, TX_SELECT } from '../codec/generated/tx.ts';
import { basicCancel, basicConsume } from './consume.ts';
import { exchangeBind, exchangeUnbind, queueBind, queueUnbind } from './binding.ts';
import { accessRequest, basicQos, basicRecover, channelFlow, ignore } from './channel.ts';
import { exchangeDeclare, exchangeDelete } from './exchange.ts';
import { basicGet } from './get.ts';
import { queueDeclare, queueDelete, queuePurge } from './queue.ts';
import { confirmSelect, txCommit, txRollback, txSelect } from './tx.ts';

/** Works on one method; the reader stands before its arguments. */
export type MethodHandler = (channel: AmqpChannel, reader: ArgumentReader) => void;

/** What clients may ask of an open channel, but for what is worked on frame by frame: publishes and settlements. */
export const METHOD_HANDLERS: ReadonlyMap<number, MethodHandler> = new Map<number, MethodHandler>([
  [ACCESS_REQUEST, accessRequest],
  [BASIC_CANCEL, basicCancel],
  [BASIC_CANCEL_OK, ignore],
  [BASIC_CONSUME, basicConsume],
  [BASIC_GET, basicGet],
  [BASIC_QOS, basicQos],
  [BASIC_RECOVER, (channel, reader) => basicRecover(channel, reader, true)],
  [BASIC_RECOVER_ASYNC, (channel, reader) => basicRecover(channel, reader, false)],
  [CHANNEL_FLOW, channelFlow],
  [CHANNEL_FLOW_OK, ignore],
  [CONFIRM_SELECT, confirmSelect],
  [EXCHANGE_BIND, exchangeBind],
  [EXCHANGE_DECLARE, exchangeDeclare],
  [EXCHANGE_DELETE, exchangeDelete],
  [EXCHANGE_UNBIND, exchangeUnbind],
  [QUEUE_BIND, queueBind],
  [QUEUE_DECLARE, queueDeclare],
  [QUEUE_DELETE, queueDelete],
  [QUEUE_PURGE, queuePurge],
  [QUEUE_UNBIND, queueUnbind],
  [TX_COMMIT, txCommit],
  [TX_ROLLBACK, txRollback],
  [TX_SELECT, txSelect],
]);
