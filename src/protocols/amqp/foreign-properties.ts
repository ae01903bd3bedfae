import type { Message } from '../../core/message/message.ts';
import { fieldValue } from './arguments.ts';
import type { FieldEntry } from './codec/field-table.ts';
import { NO_PROPERTIES, writeBasicProperties } from './codec/generated/basic-properties.ts';
import { Output } from './codec/output.ts';
import type { AmqpServices } from './services.ts';

const SHORTSTR_BYTES_MAX = 255;
const KEY_HEADER = 'x-key';

/** The property section for a message that another protocol published. */
export function sectionOfForeign(services: AmqpServices, message: Message): Buffer {
  const properties = services.broker.messages.read(message);
  const headers: FieldEntry[] = properties.headers
    .filter(([name]) => Buffer.byteLength(name) <= SHORTSTR_BYTES_MAX)
    .map(([key, value]) => ({ key, field: fieldValue(value) }));
  if (properties.key !== null) {
    headers.push({ key: KEY_HEADER, field: { type: 'x', value: properties.key } });
  }
  const output = new Output(services.outputPool, null);
  writeBasicProperties(output, {
    ...NO_PROPERTIES,
    contentType: short(properties.contentType),
    contentEncoding: short(properties.contentEncoding),
    headers: headers.length === 0 ? null : headers,
    deliveryMode: message.persistent ? 2 : 1,
    priority: message.priority < 0 ? null : message.priority,
    correlationId: short(properties.correlationId),
    replyTo: short(properties.replyTo),
    expiration: message.ttlMs < 0 ? null : String(message.ttlMs),
    messageId: short(properties.messageId),
    timestamp: properties.timestampMs === null ? null : Math.floor(properties.timestampMs / 1000),
    type: short(properties.type),
    userId: null,
    appId: short(properties.appId),
  });
  const section = output.toBuffer();
  output.flush();
  return section;
}

/** What does not fit into a short string is left out rather than cut: half an id is a wrong id. */
function short(value: string | null): string | null {
  return value !== null && Buffer.byteLength(value) <= SHORTSTR_BYTES_MAX ? value : null;
}
