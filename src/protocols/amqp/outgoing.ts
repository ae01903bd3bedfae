import { ORIGIN, type Message } from '../../core/message/message.ts';
import type { Delivery } from '../../core/queue-types.ts';
import type { ContentHeader } from './codec/content-header.ts';
import type { OutgoingContent } from './codec/content-writer.ts';
import { deathHeaders, DEATH_HEADERS } from './deaths.ts';
import { sectionOfForeign } from './foreign-properties.ts';
import { rewriteContent } from './codec/content-rewrite.ts';
import { FIELD, FieldCursor } from './codec/field-cursor.ts';
import type { FieldEntry } from './codec/field-table.ts';
import type { AmqpServices } from './services.ts';

const DELIVERY_COUNT = 'x-delivery-count';
const CC = Buffer.from('CC');

/** Points content at the bytes of a message as a client is to get them. */
export function fillContent(
  services: AmqpServices,
  message: Message,
  content: OutgoingContent,
  delivery: Delivery | null,
): OutgoingContent {
  const routing = services.routingBytes.of(message.exchange, message.routingKey);
  content.routing = routing;
  content.routingStart = 0;
  content.routingEnd = routing.length;
  content.body = message.body;
  content.bodyStart = message.bodyStart;
  content.bodyEnd = message.bodyEnd;
  content.lease = null;
  const counts = delivery !== null && delivery.returns > 0 && isQuorum(delivery);
  if (message.origin === ORIGIN.amqp091 && message.deaths === null && !counts) {
    content.section = message.properties;
    content.sectionStart = message.propertiesStart;
    content.sectionEnd = message.propertiesEnd;
    return content;
  }
  const section = render(services, message, counts ? delivery.returns : 0);
  content.section = section;
  content.sectionStart = 0;
  content.sectionEnd = section.length;
  return content;
}

/** The property section of a message that is not sent as it came. */
function render(services: AmqpServices, message: Message, returns: number): Buffer {
  const { rewriting: header } = services.scratch;
  if (message.origin === ORIGIN.amqp091) {
    header.parseSection(message.properties, message.propertiesStart, message.propertiesEnd);
  } else {
    const section = sectionOfForeign(services, message);
    header.parseSection(section, 0, section.length);
  }
  const setHeaders: FieldEntry[] = [];
  if (message.deaths !== null) setHeaders.push(...deathHeaders(message.deaths, copiesOf(header)));
  if (returns > 0) setHeaders.push({ key: DELIVERY_COUNT, field: { type: 'l', value: returns } });
  const expired = message.deaths?.some((death) => death.originalTtlMs !== null) === true;
  return rewriteContent(services.outputPool, header, {
    ...(expired ? { properties: { expiration: null } } : {}),
    removeHeaders: removedHeaders(message),
    setHeaders,
  });
}

/** The further routing keys that the publisher shows. */
function copiesOf(header: ContentHeader): string[] {
  const copies: string[] = [];
  const cursor = new FieldCursor();
  if (!header.openHeaderArray(CC, cursor)) return copies;
  while (cursor.next()) {
    if (cursor.type !== FIELD.text) continue;
    copies.push(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd));
  }
  return copies;
}

/** Further routing keys do not hold any more for a dead letter that was given another one. */
function removedHeaders({ deaths, routingKey }: Message): readonly string[] {
  const newest = deaths?.[0];
  if (newest === undefined) return [];
  return newest.routingKeys[0] === routingKey ? DEATH_HEADERS : [...DEATH_HEADERS, 'CC'];
}

function isQuorum({ queue }: Delivery): boolean {
  return queue.arguments['queue-type'] === 'quorum';
}
