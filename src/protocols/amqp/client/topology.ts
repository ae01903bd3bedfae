import { EMPTY_TABLE, type FieldTable } from '../codec/field-table.ts';
import { METHODS } from '../codec/generated/methods.ts';
import type { QueueDeclareOk } from '../codec/generated/queue.ts';
import { REPLY_CODE } from '../codec/generated/reply-codes.ts';
import type { AmqpChannel } from './channel.ts';
import { replyCodeOf } from './client-error.ts';
import type { AmqpConnection } from './connection.ts';
import { describeTarget, type Target } from './target.ts';

/** Queues of this kind exist without having been declared. */
const REPLY_QUEUES = 'amq.rabbitmq.reply-to';

export interface QueueOptions {
  /** Only ask whether it exists. */
  readonly passive?: boolean;
  readonly durable?: boolean;
  readonly exclusive?: boolean;
  readonly autoDelete?: boolean;
  readonly arguments?: FieldTable;
}

/** An empty name: the broker chooses one, which the answer has. */
export function declareQueue(
  channel: AmqpChannel,
  queue: string,
  options: QueueOptions = {},
): Promise<QueueDeclareOk> {
  const { QueueDeclare, QueueDeclareOk } = METHODS;
  const declare = {
    queue,
    passive: options.passive === true,
    durable: options.durable === true,
    exclusive: options.exclusive === true,
    autoDelete: options.autoDelete === true,
    noWait: false,
    arguments: options.arguments ?? EMPTY_TABLE,
  };
  return channel.call(QueueDeclare, declare, QueueDeclareOk, `queue ${queue}`);
}

export interface ExchangeOptions {
  readonly type?: string;
  /** Only ask whether it exists. */
  readonly passive?: boolean;
  readonly durable?: boolean;
  readonly autoDelete?: boolean;
  readonly arguments?: FieldTable;
}

export async function declareExchange(
  channel: AmqpChannel,
  exchange: string,
  options: ExchangeOptions = {},
): Promise<void> {
  const { ExchangeDeclare, ExchangeDeclareOk } = METHODS;
  const declare = {
    exchange,
    type: options.type ?? 'direct',
    passive: options.passive === true,
    durable: options.durable === true,
    autoDelete: options.autoDelete === true,
    internal: false,
    noWait: false,
    arguments: options.arguments ?? EMPTY_TABLE,
  };
  await channel.call(ExchangeDeclare, declare, ExchangeDeclareOk, `exchange ${exchange}`);
}

export async function bindQueue(
  channel: AmqpChannel,
  binding: { readonly queue: string; readonly exchange: string; readonly routingKey: string },
): Promise<void> {
  const { QueueBind, QueueBindOk } = METHODS;
  const bind = { ...binding, noWait: false, arguments: EMPTY_TABLE };
  await channel.call(QueueBind, bind, QueueBindOk, `exchange ${binding.exchange}`);
}

export async function setPrefetch(channel: AmqpChannel, prefetchCount: number): Promise<void> {
  const { BasicQos, BasicQosOk } = METHODS;
  const qos = { prefetchSize: 0, prefetchCount, global: false };
  await channel.call(BasicQos, qos, BasicQosOk, 'basic.qos');
}

/** The listener of the channel gets the messages from now on. */
export async function consume(
  channel: AmqpChannel,
  queue: string,
  options: {
    readonly noAck: boolean;
    readonly consumerTag?: string;
    readonly arguments?: FieldTable;
  },
): Promise<void> {
  const { BasicConsume, BasicConsumeOk } = METHODS;
  const consume = {
    queue,
    consumerTag: options.consumerTag ?? '',
    noLocal: false,
    noAck: options.noAck,
    exclusive: false,
    noWait: false,
    arguments: options.arguments ?? EMPTY_TABLE,
  };
  await channel.call(BasicConsume, consume, BasicConsumeOk, `queue ${queue}`);
}

/** Confirms for what is published from now on; its listener gets them. */
export async function selectConfirms(channel: AmqpChannel): Promise<void> {
  const { ConfirmSelect, ConfirmSelectOk } = METHODS;
  await channel.call(ConfirmSelect, { noWait: false }, ConfirmSelectOk, 'confirm.select');
}

/** Rejects when there is no such queue or exchange. What is there and may not be looked at passes. */
export async function requireTarget(connection: AmqpConnection, target: Target): Promise<void> {
  if (target.kind === 'queue' && target.queue.startsWith(REPLY_QUEUES)) return;
  const channel = await connection.openChannel();
  channel.subject = describeTarget(target);
  try {
    if (target.kind === 'queue') await declareQueue(channel, target.queue, { passive: true });
    else await declareExchange(channel, target.exchange, { passive: true });
    await channel.close();
  } catch (error) {
    const code = replyCodeOf(error);
    if (code !== REPLY_CODE.RESOURCE_LOCKED && code !== REPLY_CODE.ACCESS_REFUSED) throw error;
  }
}
