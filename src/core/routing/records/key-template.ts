import type { Message } from '../../message/message.ts';
import type { PropertiesReaders } from '../../message/properties.ts';
import type { ArgumentValue } from '../../queue-types.ts';

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'routing_key' | 'message_id' | 'correlation_id' };

const PLACEHOLDER = /\{([^{}]*)\}/g;
const HEADER = 'header:';

/**
 * How the key of a topic's record is made of a message: literal text with {routing_key}, {message_id},
 * {correlation_id} and {header:NAME}. What a message does not have counts as empty; an empty key is none.
 */
export class KeyTemplate {
  readonly text: string;
  private readonly parts: readonly Part[];

  private constructor(text: string, parts: readonly Part[]) {
    this.text = text;
    this.parts = parts;
  }

  /** No key: such records are spread over the partitions. */
  static readonly none = new KeyTemplate('', []);
  /** What a binding without a template does. */
  static readonly routingKey = new KeyTemplate('{routing_key}', [{ kind: 'routing_key' }]);

  /** The template, or null when it names something else. */
  static parse(text: string): KeyTemplate | null {
    const parts: Part[] = [];
    let end = 0;
    for (const match of text.matchAll(PLACEHOLDER)) {
      if (match.index > end) parts.push({ kind: 'literal', text: text.slice(end, match.index) });
      const part = partOf(match[1] ?? '');
      if (part === null) return null;
      parts.push(part);
      end = match.index + match[0].length;
    }
    if (end < text.length) parts.push({ kind: 'literal', text: text.slice(end) });
    return new KeyTemplate(text, parts);
  }

  keyOf(message: Message, readers: PropertiesReaders): Buffer | null {
    const [first] = this.parts;
    if (this.parts.length === 1 && first?.kind === 'header') {
      const value = readers.header(message, first.name);
      return Buffer.isBuffer(value) ? value : bytesOrNull(textOf(value));
    }
    let key = '';
    for (const part of this.parts) key += textOfPart(part, message, readers);
    return bytesOrNull(key);
  }
}

function partOf(placeholder: string): Part | null {
  switch (placeholder) {
    case 'routing_key':
    case 'message_id':
    case 'correlation_id':
      return { kind: placeholder };
    default:
      return placeholder.startsWith(HEADER)
        ? { kind: 'header', name: placeholder.slice(HEADER.length) }
        : null;
  }
}

function textOfPart(part: Part, message: Message, readers: PropertiesReaders): string {
  switch (part.kind) {
    case 'literal':
      return part.text;
    case 'routing_key':
      return message.routingKey;
    case 'header':
      return textOf(readers.header(message, part.name));
    case 'message_id':
      return readers.read(message).messageId ?? '';
    case 'correlation_id':
      return readers.read(message).correlationId ?? '';
    default:
      return '';
  }
}

/** A header's value as text: JSON where it is a list or a table. */
export function textOf(value: ArgumentValue | Buffer | undefined): string {
  if (value === undefined || value === null) return '';
  if (Buffer.isBuffer(value)) return value.toString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function bytesOrNull(text: string): Buffer | null {
  return text === '' ? null : Buffer.from(text);
}
