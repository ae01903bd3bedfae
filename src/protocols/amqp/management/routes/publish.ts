import { Message, ORIGIN } from '../../../../core/message/message.ts';
import { fieldTable } from '../../arguments.ts';
import {
  NO_PROPERTIES,
  writeBasicProperties,
  type BasicProperties,
} from '../../codec/generated/basic-properties.ts';
import { Output } from '../../codec/output.ts';
import { named } from '../../errors.ts';
import { demandRight } from '../access.ts';
import { Body, type Call } from '../call.ts';
import { badRequest } from '../http-error.ts';
import { json, type Reply } from '../reply.ts';
import { exchangeName } from './exchange-name.ts';
import type { Arguments } from '../../../../core/queue-types.ts';

const BASE64_CHARACTERS = /^[A-Za-z0-9+/=\s]*$/;

/** Publishes one message with the properties in the body. Answers when it is durable, as a confirm would. */
export async function publish(call: Call): Promise<Reply> {
  const body = await call.body();
  body.demand('properties', 'routing_key', 'payload', 'payload_encoding');
  const { management, namespace, vhost } = call;
  const name = exchangeName(call.param('exchange'));
  const exchange = management.router.exchange(namespace, name);
  if (exchange === null) {
    throw badRequest(`404 NOT_FOUND - no ${named('exchange', name, vhost)}`);
  }
  demandRight(call, 'write', 'exchange', name);
  const { queues, services } = management;
  if (!queues.accepting()) throw badRequest('publishers are held back now: resources are short');
  const message = messageOf(call, name, body);
  const result = management.router.publish(namespace, message);
  const { counters } = services;
  counters.published++;
  counters.sizes.record(message.bodyEnd - message.bodyStart);
  counters.publishedConfirm++;
  if (result === null || result.matched === 0) {
    counters.unroutable++;
    counters.returned++;
    return json({ routed: false });
  }
  if (result.rejected && result.accepted === 0) return json({ routed: false });
  await new Promise<void>((resolve, reject) => {
    queues.whenCommitted(queues.ticket, {
      onCommitted: () => resolve(),
      onCommitFailed: (error) => reject(error instanceof Error ? error : new Error('not stored')),
    });
  });
  counters.confirmed++;
  return json({ routed: true });
}

function messageOf(call: Call, exchange: string, body: Body): Message {
  const { broker, outputPool } = call.management.services;
  const properties = propertiesOf(new Body(body.object('properties')));
  const output = new Output(outputPool, null);
  writeBasicProperties(output, properties);
  const section = output.toBuffer();
  output.flush();
  const payload = payloadOf(body);
  const message = new Message();
  message.origin = ORIGIN.amqp091;
  message.exchange = exchange;
  message.routingKey = body.text('routing_key');
  message.properties = section;
  message.propertiesEnd = section.length;
  message.body = payload;
  message.bodyEnd = payload.length;
  message.persistent = properties.deliveryMode === 2;
  message.priority = properties.priority ?? -1;
  message.ttlMs = ttlOf(properties.expiration);
  message.delayMs = delayOf(body);
  message.publishedMs = broker.clock.wallMs();
  return message;
}

function payloadOf(body: Body): Buffer {
  const payload = body.text('payload');
  switch (body.text('payload_encoding')) {
    case 'string':
      return Buffer.from(payload);
    case 'base64':
      if (!BASE64_CHARACTERS.test(payload)) throw badRequest(['not_base64', payload]);
      return Buffer.from(payload, 'base64');
    default:
      throw badRequest(`Unsupported encoding: ${body.text('payload_encoding')}`);
  }
}

function propertiesOf(given: Body): BasicProperties {
  const text = (name: string): string | null => {
    if (!given.has(name)) return null;
    const value = given.text(name);
    if (Buffer.byteLength(value) > 255) throw badRequest(`${name} is longer than 255 bytes`);
    return value;
  };
  const integer = (name: string, max: number): number | null => {
    if (!given.has(name)) return null;
    const value = given.integer(name, 0);
    if (value < 0 || value > max) throw badRequest(`${name} is not between 0 and ${max}`);
    return value;
  };
  return {
    ...NO_PROPERTIES,
    contentType: text('content_type'),
    contentEncoding: text('content_encoding'),
    headers: given.has('headers') ? fieldTable(given.object('headers') as Arguments) : null,
    deliveryMode: integer('delivery_mode', 255),
    priority: integer('priority', 255),
    correlationId: text('correlation_id'),
    replyTo: text('reply_to'),
    expiration: given.has('expiration') ? String(given.value('expiration')) : null,
    messageId: text('message_id'),
    timestamp: integer('timestamp', Number.MAX_SAFE_INTEGER),
    type: text('type'),
    userId: text('user_id'),
    appId: text('app_id'),
    clusterId: text('cluster_id'),
  };
}

function ttlOf(expiration: string | null): number {
  if (expiration === null) return -1;
  if (/^\d{1,10}$/.test(expiration)) return Number(expiration);
  throw badRequest(`406 PRECONDITION_FAILED - invalid expiration '${expiration}'`);
}

function delayOf(body: Body): number {
  const headers = new Body(body.object('properties')).object('headers');
  const delay = headers['x-delay'];
  return typeof delay === 'number' && delay > 0 ? Math.floor(delay) : -1;
}
