import { isUtf8 } from 'node:buffer';
import type { Delivery } from '../../../../core/queue-types.ts';
import { ContentHeader } from '../../codec/content-header.ts';
import { OutgoingContent } from '../../codec/content-writer.ts';
import { objectOf } from '../../codec/field-object.ts';
import { readBasicProperties } from '../../codec/generated/basic-properties.ts';
import { fillContent } from '../../outgoing.ts';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';
import { plainJson } from './connection-view.ts';

export interface PayloadOptions {
  /** auto: text where it is UTF-8. */
  readonly encoding: 'auto' | 'base64';
  /** The rest is cut. */
  readonly bytesMax: number;
}

/** A message that was taken or looked at. Everything is copied. */
export function messageRow(
  { services }: Management,
  delivery: Delivery,
  options: PayloadOptions,
): Json {
  const { message, queue } = delivery;
  const content = fillContent(services, message, new OutgoingContent(), delivery);
  const header = new ContentHeader();
  header.parseSection(content.section, content.sectionStart, content.sectionEnd);
  const { bodyStart, bodyEnd } = message;
  const shownEnd = Math.min(bodyEnd, bodyStart + options.bytesMax);
  const shown = message.body.subarray(bodyStart, shownEnd);
  const asText = options.encoding === 'auto' && isUtf8(shown);
  return {
    payload_bytes: bodyEnd - bodyStart,
    redelivered: delivery.redelivered,
    exchange: message.exchange,
    routing_key: message.routingKey,
    message_count: queue.counts.ready,
    properties: propertiesOf(header),
    payload: shown.toString(asText ? 'utf8' : 'base64'),
    payload_encoding: asText ? 'string' : 'base64',
  };
}

/** Those that are set, under their names in AMQP; an empty list when none is, as RabbitMQ has it. */
function propertiesOf(header: ContentHeader): Json | readonly never[] {
  const properties = readBasicProperties(header);
  const entries = Object.entries(properties).flatMap(([name, value]) => {
    if (value === null) return [];
    const shown = name === 'headers' ? plainJson(objectOf(properties.headers ?? [])) : value;
    return [[snakeCase(name), shown] as const];
  });
  return entries.length === 0 ? [] : Object.fromEntries(entries);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
