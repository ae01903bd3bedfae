import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from '../server/clients.ts';
import { usageError } from './exit-codes.ts';

export interface LocatedMessage extends IncomingMessage {
  readonly topic: string;
  readonly partition: number;
}

type Part = Buffer | ((message: LocatedMessage) => Buffer);

const TOKENS: Readonly<Record<string, (message: LocatedMessage) => Buffer>> = {
  t: (message) => Buffer.from(message.topic),
  p: (message) => numeral(message.partition),
  o: (message) => numeral(message.offset),
  k: (message) => message.key ?? EMPTY,
  v: (message) => message.value ?? EMPTY,
  s: (message) => message.value ?? EMPTY,
  T: (message) => numeral(message.timestampMs),
  D: (message) => Buffer.from(instant(message) ?? ''),
  K: (message) => Buffer.from(String(message.key?.length ?? -1)),
  S: (message) => Buffer.from(String(message.value?.length ?? -1)),
  h: (message) =>
    Buffer.from(
      message.headers.map(({ name, value }) => `${name}=${value?.toString() ?? ''}`).join(','),
    ),
};

const EMPTY = Buffer.alloc(0);

/** Nothing for -1, which says that there is no such number. */
function numeral(value: number): Buffer {
  return value < 0 ? EMPTY : Buffer.from(String(value));
}

function instant({ timestampMs }: LocatedMessage): string | null {
  return timestampMs < 0 ? null : new Date(timestampMs).toISOString();
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
};

/**
 * A function that renders messages: `%t` topic, `%p` partition, `%o` offset, `%k` key, `%v` (or `%s`) value,
 * `%T` timestamp in ms, `%D` the same as a date, `%h` headers, `%K` and `%S` lengths of key and value (-1 null),
 * `%%`; `\n`, `\t`, `\r`, `\0`, `\\`, `\xHH`.
 */
export function messageFormatter(format: string): (message: LocatedMessage) => Buffer {
  const parts = parseFormat(format);
  return (message) =>
    Buffer.concat(parts.map((part) => (typeof part === 'function' ? part(message) : part)));
}

function parseFormat(format: string): Part[] {
  const parts: Part[] = [];
  for (const [token] of format.matchAll(/%.|\\x[0-9a-f]{2}|\\.|[^%\\]+|[%\\]$/gis)) {
    const letter = token[1] ?? '';
    if (token.startsWith('%') && letter !== '%') {
      const render = TOKENS[letter];
      if (render === undefined) {
        throw usageError(
          `--format: unknown ${token}`,
          `known: ${Object.keys(TOKENS)
            .map((key) => `%${key}`)
            .join(' ')} %%`,
        );
      }
      parts.push(render);
    } else if (token.startsWith('%')) {
      parts.push(Buffer.from('%'));
    } else if (token.startsWith('\\') && token.length === 4) {
      parts.push(Buffer.from(token.slice(2), 'hex'));
    } else if (token.startsWith('\\')) {
      parts.push(Buffer.from(ESCAPES[letter] ?? token));
    } else {
      parts.push(Buffer.from(token));
    }
  }
  return parts;
}

/** One line of JSON; what a protocol has no number for is left out. Bytes that are not UTF-8 are base64, which keyEncoding or valueEncoding says. */
export function messageJson(message: LocatedMessage): string {
  const { topic, partition, offset, headers, properties } = message;
  return JSON.stringify({
    topic,
    ...(partition < 0 ? {} : { partition }),
    ...(offset < 0 ? {} : { offset }),
    timestamp: instant(message),
    ...encoded('key', message.key),
    ...encoded('value', message.value),
    headers: headers.map(({ name, value }) => ({ name, ...encoded('value', value) })),
    ...(properties === undefined ? {} : { properties }),
  });
}

function encoded(name: string, bytes: Buffer | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  if (isUtf8(bytes)) return { [name]: bytes.toString('utf8') };
  return { [name]: bytes.toString('base64'), [`${name}Encoding`]: 'base64' };
}
