import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ArgumentReader } from '../../src/protocols/amqp/codec/argument-reader.ts';
import { FRAME } from '../../src/protocols/amqp/codec/frame.ts';
import { FrameScanner } from '../../src/protocols/amqp/codec/frame-scanner.ts';
import { METHODS, methodById } from '../../src/protocols/amqp/codec/generated/methods.ts';
import { NO_ARGUMENTS, type MethodCodec } from '../../src/protocols/amqp/codec/method-codec.ts';
import { Output } from '../../src/protocols/amqp/codec/output.ts';
import { OutputPool } from '../../src/protocols/amqp/codec/output-pool.ts';
import { PROTOCOL_HEADER_BYTES } from '../../src/protocols/amqp/codec/protocol-header.ts';

/** A method that a client sent. */
export interface SeenMethod {
  readonly name: string;
  readonly channel: number;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What to do with a method; true: it is dealt with, else the usual answer goes out. */
export type Script = (session: ScriptedSession, method: SeenMethod) => boolean | void;

type AnyMethod = (typeof METHODS)[keyof typeof METHODS];

const USUAL: Readonly<Record<string, readonly [AnyMethod, object]>> = {
  'connection.start-ok': [
    METHODS.ConnectionTune,
    { channelMax: 10, frameMax: 4096, heartbeatSeconds: 0 },
  ],
  'connection.open': [METHODS.ConnectionOpenOk, NO_ARGUMENTS],
  'connection.close': [METHODS.ConnectionCloseOk, NO_ARGUMENTS],
  'channel.open': [METHODS.ChannelOpenOk, NO_ARGUMENTS],
  'channel.close': [METHODS.ChannelCloseOk, NO_ARGUMENTS],
  'channel.flow': [METHODS.ChannelFlowOk, { active: true }],
  'confirm.select': [METHODS.ConfirmSelectOk, NO_ARGUMENTS],
  'basic.qos': [METHODS.BasicQosOk, NO_ARGUMENTS],
  'basic.consume': [METHODS.BasicConsumeOk, { consumerTag: 'c' }],
  'queue.declare': [
    METHODS.QueueDeclareOk,
    { queue: 'declared', messageCount: 0, consumerCount: 0 },
  ],
  'queue.bind': [METHODS.QueueBindOk, NO_ARGUMENTS],
  'exchange.declare': [METHODS.ExchangeDeclareOk, NO_ARGUMENTS],
};

/** The broker's side of one connection. */
export class ScriptedSession {
  readonly number: number;
  readonly socket: Socket;
  /** Methods in the order in which they came. */
  readonly seen: SeenMethod[] = [];
  /** Bodies of what was published. */
  readonly bodies: string[] = [];
  private readonly script: Script;
  private readonly scanner = new FrameScanner(128 * 1024);
  private received: Buffer = Buffer.alloc(0);
  private hasHeader = false;
  private watchers: (() => void)[] = [];

  constructor(socket: Socket, number: number, script: Script) {
    this.socket = socket;
    this.number = number;
    this.script = script;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
  }

  send<Arguments>(method: MethodCodec<Arguments>, channel: number, values: Arguments): void {
    this.socket.write(frames((output) => method.write(output, channel, values)));
  }

  /** Resolves when that many methods of a name came. */
  async until(name: string, count = 1): Promise<void> {
    while (this.seen.filter((method) => method.name === name).length < count) {
      await new Promise<void>((resolve) => this.watchers.push(resolve));
    }
  }

  private onData(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    if (!this.hasHeader) {
      if (this.received.length < PROTOCOL_HEADER_BYTES) return;
      this.hasHeader = true;
      this.received = this.received.subarray(PROTOCOL_HEADER_BYTES);
      this.onMethod({ name: 'protocol-header', channel: 0, arguments: {} });
    }
    for (;;) {
      const next = this.scanner.scan(this.received, 0, this.received.length);
      if (next < 0) break;
      this.onFrame();
      this.received = this.received.subarray(next);
    }
    const { watchers } = this;
    this.watchers = [];
    for (const resolve of watchers) resolve();
  }

  private onFrame(): void {
    const { type, channel, start, end } = this.scanner;
    if (type === FRAME.body) this.bodies.push(this.received.toString('utf8', start, end));
    if (type !== FRAME.method) return;
    const codec = methodById(this.scanner.methodId(this.received));
    if (codec === null) throw new Error('an unknown method');
    const values = codec.read(new ArgumentReader(this.received, start + 4, end));
    this.onMethod({ name: codec.name, channel, arguments: values as Record<string, unknown> });
  }

  private onMethod(method: SeenMethod): void {
    this.seen.push(method);
    if (this.script(this, method) === true) return;
    if (method.name === 'protocol-header') {
      const start = { versionMajor: 0, versionMinor: 9, serverProperties: [] };
      this.send(METHODS.ConnectionStart, 0, {
        ...start,
        mechanisms: 'AMQPLAIN PLAIN',
        locales: 'en_US',
      });
      return;
    }
    const usual = USUAL[method.name];
    if (usual === undefined) return;
    const [codec, values] = usual;
    this.send(codec, method.channel, values);
  }
}

/** Frames as bytes. */
export function frames(write: (output: Output) => void): Buffer {
  const output = new Output(new OutputPool(), null);
  output.frameBytesMax = 4096;
  write(output);
  return output.toBuffer();
}

/** Answers AMQP clients as a script says. */
export class ScriptedAmqpBroker {
  readonly sessions: ScriptedSession[] = [];
  private readonly server: Server;

  static async listen(script: Script = () => {}): Promise<ScriptedAmqpBroker> {
    const broker = new ScriptedAmqpBroker(script);
    await new Promise<void>((resolve) => broker.server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  private constructor(script: Script) {
    this.server = createServer((socket) => {
      this.sessions.push(new ScriptedSession(socket, this.sessions.length, script));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  session(number: number): ScriptedSession {
    const session = this.sessions[number];
    if (session === undefined) throw new Error(`there is no connection ${number}`);
    return session;
  }

  async close(): Promise<void> {
    for (const { socket } of this.sessions) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
