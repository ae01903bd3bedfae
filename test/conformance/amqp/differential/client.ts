import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  bodyFrame,
  FrameReader,
  headerFrame,
  methodFrame,
  PROTOCOL_HEADER,
  type Arguments,
  type Frame,
  type Properties,
} from './frames.ts';
import type { FieldTable } from './values.ts';

const ANSWER_WITHIN_MS = 10_000;
const FRAME_BYTES_MAX = 131_072;
/** Longer bodies stand in a transcript as their size and hash. */
const BODY_SHOWN_MAX = 200;

/** What a broker sent: a method with the content that belongs to it, or something that is no method. */
export interface Received {
  readonly channel: number;
  /** A method's name, or `heartbeat`, `protocol-header`, `end` (of the connection), `content` (without a method). */
  readonly name: string;
  readonly args: Arguments;
  readonly content?: Content;
}

export interface Content {
  readonly flags: string;
  readonly properties: Properties;
  readonly body: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface LoginOptions {
  readonly user?: string;
  readonly password?: string;
  readonly virtualHost?: string;
  readonly mechanism?: string;
  readonly response?: string;
  readonly frameMax?: number;
  readonly channelMax?: number;
  /** Seconds; default: none. */
  readonly heartbeat?: number;
  readonly clientProperties?: FieldTable;
  /** Do not answer channel.close by itself. */
  readonly silent?: boolean;
}

/** What a client library tells about itself that changes how a broker behaves. */
const CAPABILITIES: FieldTable = {
  capabilities: {
    F: {
      publisher_confirms: { t: true },
      exchange_exchange_bindings: { t: true },
      'basic.nack': { t: true },
      consumer_cancel_notify: { t: true },
      'connection.blocked': { t: true },
      authentication_failure_close: { t: true },
    },
  },
};

const CONTENT_METHODS = ['basic.deliver', 'basic.get-ok', 'basic.return'];

interface Pending {
  readonly frame: Extract<Frame, { kind: 'method' }>;
  header: Extract<Frame, { kind: 'header' }> | null;
  body: Buffer[];
  bytes: number;
}

interface Entry {
  readonly received: Received;
  claimed: boolean;
}

/** One connection, frame by frame. Everything that arrives is kept in `received`. */
export class RawClient {
  readonly received: Received[] = [];
  private readonly entries: Entry[] = [];
  private readonly socket: Socket;
  private readonly reader = new FrameReader();
  private readonly pending = new Map<number, Pending>();
  private readonly silent: boolean;
  private wake: () => void = () => undefined;
  private ended = false;

  private constructor(socket: Socket, silent: boolean) {
    this.socket = socket;
    this.silent = silent;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.onData(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.add({ channel: 0, name: 'end', args: {} });
    });
  }

  static async connect(address: Address, options: LoginOptions = {}): Promise<RawClient> {
    const socket = connect(address.port, address.host);
    await once(socket, 'connect');
    return new RawClient(socket, options.silent ?? false);
  }

  write(bytes: Buffer): void {
    if (!this.ended) this.socket.write(bytes);
  }

  send(channel: number, name: string, args: Arguments = {}): void {
    this.write(methodFrame(channel, name, args));
  }

  /** Greets and logs in up to connection.open-ok, or up to what the broker says instead. */
  async login(address: Address, options: LoginOptions = {}): Promise<Received> {
    this.write(PROTOCOL_HEADER);
    await this.next(0, ['connection.start']);
    const user = options.user ?? address.user;
    this.send(0, 'connection.start-ok', {
      'client-properties': options.clientProperties ?? CAPABILITIES,
      mechanism: options.mechanism ?? 'PLAIN',
      response: options.response ?? `\0${user}\0${options.password ?? address.password}`,
      locale: 'en_US',
    });
    const tune = await this.next(0, ['connection.tune']);
    if (tune.name !== 'connection.tune') return tune;
    this.send(0, 'connection.tune-ok', {
      'channel-max': options.channelMax ?? 2047,
      'frame-max': options.frameMax ?? FRAME_BYTES_MAX,
      heartbeat: options.heartbeat ?? 0,
    });
    this.send(0, 'connection.open', { 'virtual-host': options.virtualHost ?? '/' });
    return await this.next(0, ['connection.open-ok']);
  }

  publish(
    channel: number,
    args: Arguments,
    body: string | Buffer = '',
    properties: Properties = {},
  ): void {
    this.send(channel, 'basic.publish', args);
    const bytes = Buffer.from(body as string);
    this.write(headerFrame(channel, bytes.length, properties));
    const partBytes = FRAME_BYTES_MAX - 8;
    for (let at = 0; at < bytes.length; at += partBytes) {
      this.write(bodyFrame(channel, bytes.subarray(at, at + partBytes)));
    }
  }

  /** The next frame of the channel with one of these names that nobody waited for yet, or the end of the channel. */
  async next(channel: number, names: readonly string[]): Promise<Received> {
    const deadlineMs = performance.now() + ANSWER_WITHIN_MS;
    for (;;) {
      const entry = this.entries.find(
        ({ claimed, received }) =>
          !claimed &&
          ((received.channel === channel && names.includes(received.name)) ||
            endsChannel(received, channel)),
      );
      if (entry !== undefined) {
        // The end of a connection is everybody's answer from then on.
        if (entry.received.name !== 'end') entry.claimed = true;
        return entry.received;
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new Error(`no ${names.join(' or ')} on channel ${channel} in time`);
      await this.arrival(leftMs);
    }
  }

  /** Lets go of what was received and waited for. */
  forget(): void {
    this.received.length = 0;
    this.entries.length = 0;
  }

  /** Lets the broker say whatever it still wants to. */
  async quiet(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.socket.end();
    this.socket.destroySoon();
    if (!this.ended) await once(this.socket, 'close');
  }

  private arrival(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private onData(chunk: Buffer): void {
    for (const frame of this.reader.push(chunk)) this.onFrame(frame);
  }

  private onFrame(frame: Frame): void {
    const { channel } = frame;
    switch (frame.kind) {
      case 'heartbeat':
        this.add({ channel, name: 'heartbeat', args: {} });
        break;
      case 'protocol-header':
        this.add({ channel, name: 'protocol-header', args: { version: frame.version } });
        break;
      case 'method':
        if (CONTENT_METHODS.includes(frame.name)) {
          this.pending.set(channel, { frame, header: null, body: [], bytes: 0 });
        } else {
          this.add({ channel, name: frame.name, args: frame.args });
          this.answer(frame);
        }
        break;
      case 'header':
      case 'body':
        this.onContent(frame);
        break;
    }
  }

  private onContent(frame: Extract<Frame, { kind: 'header' | 'body' }>): void {
    const pending = this.pending.get(frame.channel);
    if (pending === undefined) {
      this.add({ channel: frame.channel, name: 'content', args: { kind: frame.kind } });
      return;
    }
    if (frame.kind === 'header') pending.header = frame;
    else {
      pending.body.push(frame.bytes);
      pending.bytes += frame.bytes.length;
    }
    const { header } = pending;
    if (header === null || pending.bytes < header.size) return;
    this.pending.delete(frame.channel);
    this.add({
      channel: frame.channel,
      name: pending.frame.name,
      args: pending.frame.args,
      content: {
        flags: `0x${header.flags.toString(16).padStart(4, '0')}`,
        properties: header.properties,
        body: shown(pending.body),
      },
    });
  }

  private answer(frame: Extract<Frame, { kind: 'method' }>): void {
    if (frame.name === 'connection.close') this.send(0, 'connection.close-ok');
    if (frame.name === 'channel.close' && !this.silent)
      this.send(frame.channel, 'channel.close-ok');
  }

  private add(received: Received): void {
    this.received.push(received);
    this.entries.push({ received, claimed: false });
    this.wake();
  }
}

function endsChannel({ channel, name }: Received, asked: number): boolean {
  if (name === 'end' || name === 'connection.close' || name === 'protocol-header') return true;
  return name === 'channel.close' && channel === asked;
}

function shown(parts: readonly Buffer[]): string {
  const bytes = Buffer.concat(parts);
  if (bytes.length <= BODY_SHOWN_MAX) return bytes.toString();
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `${bytes.length} bytes in frames of ${parts.map(({ length }) => length).join('+')}, ${hash}`;
}
