import type { Message } from '../../message/message.ts';
import type { PropertiesReaders } from '../../message/properties.ts';
import type { ArgumentValue, Arguments } from '../../queue-types.ts';
import { argumentOf } from './exchange-kind.ts';

/** The part of a message that a hashing exchange looks at. */
export interface HashSubject {
  textOf(key: string, message: Message): string;
}

const PROPERTIES = ['message_id', 'correlation_id', 'timestamp'];

/** Why the arguments of a hashing exchange contradict themselves, or null. */
export function findHashArgumentDefect(
  given: Arguments,
): { readonly argument: string; readonly message: string } | null {
  const property = argumentOf(given, 'hash-property');
  if (property === undefined) return null;
  const argument = 'hash-property';
  if (argumentOf(given, 'hash-header') !== undefined) {
    return { argument, message: 'hash-header and hash-property are mutually exclusive' };
  }
  if (typeof property === 'string' && PROPERTIES.includes(property)) return null;
  return { argument, message: `Unsupported property: ${textOfValue(property)}` };
}

/** The routing key, unless the exchange's arguments name a header or a property. What is absent counts as empty. */
export function hashSubjectOf(given: Arguments, readers: PropertiesReaders): HashSubject {
  const header = argumentOf(given, 'hash-header');
  if (header !== undefined) {
    const name = textOfValue(header);
    return { textOf: (_key, message) => textOfValue(readers.header(message, name)) };
  }
  switch (argumentOf(given, 'hash-property')) {
    case 'message_id':
      return { textOf: (_key, message) => readers.read(message).messageId ?? '' };
    case 'correlation_id':
      return { textOf: (_key, message) => readers.read(message).correlationId ?? '' };
    case 'timestamp':
      return { textOf: (_key, message) => String(readers.read(message).timestampMs ?? '') };
    default:
      return { textOf: (key) => key };
  }
}

function textOfValue(value: ArgumentValue | Buffer | undefined): string {
  if (value === undefined || value === null) return '';
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
