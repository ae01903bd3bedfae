import type { ArgumentValue } from '../queue-types.ts';
import type { Message, Origin } from './message.ts';

/** A message's properties in words that every protocol understands. Absent: null. */
export interface MessageProperties {
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly correlationId: string | null;
  readonly replyTo: string | null;
  readonly messageId: string | null;
  /** What the application calls this kind of message. */
  readonly type: string | null;
  readonly userId: string | null;
  readonly appId: string | null;
  /** As the publisher gave it, ms since the Unix epoch. */
  readonly timestampMs: number | null;
  /** Partition or ordering key. */
  readonly key: Buffer | null;
  /** In the order given; names may repeat. Bytes where they are no text. */
  readonly headers: readonly (readonly [name: string, value: ArgumentValue | Buffer])[];
}

/** How the raw properties of one origin are read. Malformed bytes: what can be read, never an exception. */
export interface PropertiesReader {
  read(buffer: Buffer, start: number, end: number): MessageProperties;
  /** One header without decoding the rest; undefined: it has none of that name. */
  header(
    buffer: Buffer,
    start: number,
    end: number,
    name: string,
  ): ArgumentValue | Buffer | undefined;
}

const NO_PROPERTIES: MessageProperties = {
  contentType: null,
  contentEncoding: null,
  correlationId: null,
  replyTo: null,
  messageId: null,
  type: null,
  userId: null,
  appId: null,
  timestampMs: null,
  key: null,
  headers: [],
};

/** The readers of all origins; each protocol registers its own when the broker is composed. */
export class PropertiesReaders {
  private readonly readers: (PropertiesReader | undefined)[] = [];

  register(origin: Origin, reader: PropertiesReader): void {
    this.readers[origin] = reader;
  }

  read(message: Message): MessageProperties {
    const reader = this.readers[message.origin];
    if (reader === undefined) return NO_PROPERTIES;
    return reader.read(message.properties, message.propertiesStart, message.propertiesEnd);
  }

  header(message: Message, name: string): ArgumentValue | Buffer | undefined {
    const { properties, propertiesStart, propertiesEnd } = message;
    return this.readers[message.origin]?.header(properties, propertiesStart, propertiesEnd, name);
  }
}
