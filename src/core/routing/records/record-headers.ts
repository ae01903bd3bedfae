import type { RecordHeader } from '../../../base/records.ts';
import type { MessageProperties } from '../../message/properties.ts';
import { textOf } from './key-template.ts';

/** Names of the record headers that stand for properties. */
export const PROPERTY_HEADERS = {
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  correlationId: 'correlation-id',
  replyTo: 'reply-to',
  messageId: 'message-id',
  type: 'type',
  userId: 'user-id',
  appId: 'app-id',
  timestampMs: 'timestamp',
} as const satisfies Partial<Record<keyof MessageProperties, string>>;

type TextProperty = keyof typeof PROPERTY_HEADERS;

const TEXT_PROPERTIES = Object.keys(PROPERTY_HEADERS) as TextProperty[];

/**
 * A message's properties as headers of a record: first the properties by their names above, then the headers in their
 * order. Text is UTF-8, bytes are as they are, numbers and truth values are text, lists and tables JSON.
 */
export function recordHeadersOf(properties: MessageProperties): RecordHeader[] {
  const headers: RecordHeader[] = [];
  for (const property of TEXT_PROPERTIES) {
    const value = properties[property];
    if (value === null) continue;
    headers.push({ name: PROPERTY_HEADERS[property], value: Buffer.from(String(value)) });
  }
  for (const [name, value] of properties.headers) {
    if (value === null) headers.push({ name, value: null });
    else headers.push({ name, value: Buffer.isBuffer(value) ? value : Buffer.from(textOf(value)) });
  }
  return headers;
}
