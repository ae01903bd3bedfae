import { Message } from '../../message/message.ts';
import type { PropertiesReaders } from '../../message/properties.ts';
import { FanoutKind } from './fanout.ts';

const BYTES_MAX = 16 * 1024 * 1024;
const LENGTH_DEFAULT = 20;
const NO_STORE = 'x-recent-history-no-store';

/** The last messages of an exchange, in memory: at most so many, and at most 16 MiB. The oldest go first. */
export class RecentHistory {
  private readonly lengthMax: number;
  private readonly readers: PropertiesReaders;
  private messages: Message[] = [];
  private bytes = 0;

  constructor(lengthMax: number, readers: PropertiesReaders) {
    this.lengthMax = lengthMax;
    this.readers = readers;
  }

  remember(message: Message): void {
    if (this.readers.header(message, NO_STORE) === true) return;
    this.messages.push(copyOf(message));
    this.bytes += sizeOf(message);
    while (this.messages.length > this.lengthMax || this.bytes > BYTES_MAX) {
      this.bytes -= sizeOf(this.messages.shift()!);
    }
  }

  /** Oldest first. The messages must not be changed. */
  all(): readonly Message[] {
    return this.messages;
  }
}

/** Every binding matches, and the last messages are kept for those that bind later. */
export class RecentHistoryKind extends FanoutKind {
  override readonly dependsOn = 'message';
  readonly history: RecentHistory;

  constructor(history: RecentHistory) {
    super();
    this.history = history;
  }
}

/** The length that an argument asks for, or null when it is none. */
export function historyLengthOf(argument: unknown): number | null {
  if (argument === undefined) return LENGTH_DEFAULT;
  return typeof argument === 'number' && Number.isSafeInteger(argument) && argument > 0
    ? argument
    : null;
}

function sizeOf(message: Message): number {
  return message.propertiesEnd - message.propertiesStart + message.bodyEnd - message.bodyStart;
}

function copyOf(message: Message): Message {
  const copy = Object.assign(new Message(), message);
  const { properties, propertiesStart, propertiesEnd, body, bodyStart, bodyEnd } = message;
  copy.properties = Buffer.from(properties.subarray(propertiesStart, propertiesEnd));
  copy.propertiesStart = 0;
  copy.propertiesEnd = copy.properties.length;
  copy.body = Buffer.from(body.subarray(bodyStart, bodyEnd));
  copy.bodyStart = 0;
  copy.bodyEnd = copy.body.length;
  return copy;
}
