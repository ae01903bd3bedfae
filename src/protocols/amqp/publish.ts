import { ORIGIN, type Message } from '../../core/message/message.ts';
import type { PublishResult } from '../../core/routing-types.ts';
import type { AmqpChannel } from './channel.ts';
import { rewriteContent } from './codec/content-rewrite.ts';
import type { ContentHeader } from './codec/content-header.ts';
import { writeReturn } from './codec/content-writer.ts';
import { FIELD, FieldCursor } from './codec/field-cursor.ts';
import { readValue } from './codec/field-table.ts';
import { PROPERTY } from './codec/generated/basic-properties.ts';
import { REPLY_CODE } from './codec/generated/reply-codes.ts';
import type { OutputPool } from './codec/output-pool.ts';
import { REPLY_TO_QUEUE } from './direct-reply.ts';
import type { PublishRequest } from './publish-request.ts';
import { wireTypeName } from './arguments.ts';
import { accessRefused, named, noExchange, preconditionFailed } from './errors.ts';
import { fillContent } from './outgoing.ts';

const CC = Buffer.from('CC');
const BCC = Buffer.from('BCC');
const DELAY = Buffer.from('x-delay');
const DEDUPLICATION = Buffer.from('x-deduplication-header');
const PERSISTENT = 2;
/** RabbitMQ's bound for a time to live: what a timer of it takes. */
const TTL_MS_MAX = 4_294_967_295;

/**
 * A publish whose content is complete; its properties are in the scratch header. Everything is used or copied before
 * this returns.
 */
export function publish(channel: AmqpChannel, request: PublishRequest): void {
  const { services, connection } = channel;
  const { message, header } = services.scratch;
  const { exchange, routingKey, mandatory } = request;
  checkExchange(channel, exchange, routingKey);
  message.origin = ORIGIN.amqp091;
  message.exchange = exchange;
  message.routingKey = routingKey;
  message.furtherKeys = null;
  message.deduplicationKey = null;
  message.deaths = null;
  message.delayMs = -1;
  message.properties = header.buffer;
  message.propertiesStart = header.sectionStart;
  message.propertiesEnd = header.sectionEnd;
  message.body = request.body;
  message.bodyStart = request.bodyStart;
  message.bodyEnd = request.bodyEnd;
  message.persistent = header.number(PROPERTY.deliveryMode) === PERSISTENT;
  message.priority = header.number(PROPERTY.priority) ?? -1;
  message.ttlMs = timeToLive(header);
  message.publishedMs = connection.nowMs;
  checkUser(channel, header);
  if (header.has(PROPERTY.headers)) readHeaders(services.outputPool, header, message);
  if (header.has(PROPERTY.replyTo)) rewriteReplyTo(channel, header, message);
  channel.published++;
  services.counters.published++;
  services.counters.sizes.record(message.bodyEnd - message.bodyStart);
  if (channel.transaction !== null) {
    connection.held(channel.transaction.stage(message, mandatory));
    return;
  }
  const result = route(channel, message, mandatory);
  if (channel.confirms === null) return;
  services.counters.publishedConfirm++;
  if (result !== null && result.rejected) channel.confirms.refused();
  else channel.confirms.taken();
}

/** Hands a message to the queues, and returns it to the client when it is mandatory and nobody takes it. */
export function route(
  channel: AmqpChannel,
  message: Message,
  mandatory: boolean,
): PublishResult | null {
  const { services, connection } = channel;
  const { directReplies, router, counters } = services;
  let matched;
  let result: PublishResult | null = null;
  if (message.exchange === '' && directReplies.isAddress(message.routingKey)) {
    const target = directReplies.find(message.routingKey);
    target?.takeReply(message);
    matched = target === null ? 0 : 1;
  } else {
    result = router.publish(connection.namespace, message);
    if (result === null) throw noExchange(message.exchange, connection.vhost);
    ({ matched } = result);
  }
  if (matched > 0) return result;
  counters.unroutable++;
  if (!mandatory) return result;
  counters.returned++;
  const reason = { replyCode: REPLY_CODE.NO_ROUTE, replyText: 'NO_ROUTE' };
  const content = fillContent(services, message, services.scratch.content, null);
  writeReturn(connection.startOutput(), channel.number, reason, content);
  return result;
}

function checkExchange(channel: AmqpChannel, name: string, routingKey: string): void {
  const { connection, services } = channel;
  if (name === '') {
    connection.access.checkPublish(name, routingKey, false);
    return;
  }
  const exchange = services.router.exchange(connection.namespace, name);
  if (exchange === null) throw noExchange(name, connection.vhost);
  connection.access.checkPublish(name, routingKey, exchange.type === 'topic');
  if (exchange.internal) {
    throw accessRefused(`cannot publish to internal ${named('exchange', name, connection.vhost)}`);
  }
}

function timeToLive(header: ContentHeader): number {
  if (!header.has(PROPERTY.expiration)) return -1;
  const text = header.shortstr(PROPERTY.expiration) ?? '';
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || !/^\+?\d+$/.test(text)) {
    const signed = /^-\d+$/.test(text);
    throw preconditionFailed(
      signed
        ? `invalid expiration '${text}': {value_negative,${text}}`
        : `invalid expiration '${text}': ${expirationFault(text)}`,
    );
  }
  if (value > TTL_MS_MAX) {
    throw preconditionFailed(`invalid expiration '${text}': {value_too_large,${text}}`);
  }
  return value;
}

/** What follows a number, or that there is none: RabbitMQ's words. */
function expirationFault(text: string): string {
  const digits = /^[+-]?\d+/.exec(text)?.[0];
  return digits === undefined ? 'no_integer' : `{leftover_string,"${text.slice(digits.length)}"}`;
}

function checkUser(channel: AmqpChannel, header: ContentHeader): void {
  if (!header.has(PROPERTY.userId)) return;
  const claimed = header.shortstr(PROPERTY.userId) ?? '';
  const { connection } = channel;
  if (claimed === connection.user || connection.access.mayImpersonate) return;
  throw preconditionFailed(
    `user_id property set to '${claimed}' but authenticated user was '${connection.user}'`,
  );
}

function readHeaders(pool: OutputPool, header: ContentHeader, message: Message): void {
  header.checkHeaders();
  const delay = header.findHeader(DELAY);
  if (delay !== null) message.delayMs = delayOf(readValue(delay).value);
  const key = header.findHeader(DEDUPLICATION);
  if (key !== null && key.type === FIELD.text) {
    message.deduplicationKey = key.buffer.toString('utf8', key.valueStart, key.valueEnd);
  }
  const copies = keysIn(header, CC, 'CC');
  const blindCopies = keysIn(header, BCC, 'BCC');
  if (copies === null && blindCopies === null) return;
  message.furtherKeys = [...(copies ?? []), ...(blindCopies ?? [])];
  if (blindCopies === null) return;
  const section = rewriteContent(pool, header, { removeHeaders: ['BCC'] });
  message.properties = section;
  message.propertiesStart = 0;
  message.propertiesEnd = section.length;
}

/** A negative or meaningless delay is none. */
function delayOf(value: unknown): number {
  const ms = typeof value === 'bigint' || typeof value === 'string' ? Number(value) : value;
  return typeof ms === 'number' && ms > 0 ? Math.floor(ms) : -1;
}

/** Routing keys in a header, or null when there is no such header. */
function keysIn(header: ContentHeader, key: Buffer, name: string): string[] | null {
  const found = header.findHeader(key);
  if (found === null) return null;
  const cursor = new FieldCursor();
  if (!header.openHeaderArray(key, cursor)) {
    throw preconditionFailed(
      `invalid message: {unacceptable_type_in_header,"${name}",${wireTypeName(readValue(found))}}`,
    );
  }
  const keys: string[] = [];
  while (cursor.next()) {
    if (cursor.type !== FIELD.text) {
      throw preconditionFailed(
        `invalid message: {unacceptable_type_in_header,"${name}",${wireTypeName(readValue(cursor))}}`,
      );
    }
    keys.push(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd));
  }
  return keys;
}

/** A request that asks for direct replies carries the address of its channel. */
function rewriteReplyTo(channel: AmqpChannel, header: ContentHeader, message: Message): void {
  if (header.shortstr(PROPERTY.replyTo) !== REPLY_TO_QUEUE) return;
  if (channel.replies === null) throw preconditionFailed('fast reply consumer does not exist');
  const { scratch, outputPool } = channel.services;
  // The headers may have been rewritten already.
  const { rewriting } = scratch;
  rewriting.parseSection(message.properties, message.propertiesStart, message.propertiesEnd);
  const section = rewriteContent(outputPool, rewriting, {
    properties: { replyTo: channel.replies.address },
  });
  message.properties = section;
  message.propertiesStart = 0;
  message.propertiesEnd = section.length;
}
