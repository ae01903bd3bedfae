import { textOf, type Arguments, type Properties } from './frames.ts';
import { RawClient, type Address, type LoginOptions, type Received } from './client.ts';

/** A named script against one broker. What it waits for are the answers that must come; all that comes is compared. */
export interface Scenario {
  readonly name: string;
  run(session: Session): Promise<void>;
}

/** Long enough for a broker to say what it should not say. */
const QUIET_MS = 150;

/** The connections and notes of one run of a scenario. */
export class Session {
  readonly address: Address;
  readonly clients = new Map<string, RawClient>();
  readonly notes: string[] = [];
  private readonly queues = new Set<string>();
  private readonly exchanges = new Set<string>();
  private probe: Channel | null = null;

  constructor(address: Address) {
    this.address = address;
  }

  /** A connection that has logged in. */
  async open(name: string, options: LoginOptions = {}): Promise<RawClient> {
    const client = await this.dial(name, options);
    await client.login(this.address, options);
    return client;
  }

  /** A connection that has said nothing yet. */
  async dial(name: string, options: LoginOptions = {}): Promise<RawClient> {
    const client = await RawClient.connect(this.address, options);
    this.clients.set(name, client);
    return client;
  }

  /** An open channel of the client of that name, which is connected first if it is not yet. */
  async channel(name: string, number = 1): Promise<Channel> {
    const client = this.clients.get(name) ?? (await this.open(name));
    const channel = new Channel(this, client, number);
    await channel.call('channel.open');
    return channel;
  }

  /** Something to compare that is no frame. */
  note(text: string): void {
    this.notes.push(text);
  }

  /** Remembers what a scenario declares, so that nothing stays behind. */
  declared(name: string, args: Arguments): void {
    if (name === 'queue.declare') this.queues.add(textOf(args['queue']));
    if (name === 'exchange.declare') this.exchanges.add(textOf(args['exchange']));
  }

  /** Waits, unseen, until the queue has that many messages ready. */
  async untilReady(queue: string, count: number): Promise<void> {
    for (let attempt = 0; attempt < 500; attempt++) {
      this.probe ??= await this.probeChannel();
      const answer = await this.probe.call('queue.declare', { queue, passive: true });
      if (answer.name !== 'queue.declare-ok') this.probe = null;
      else if (answer.args['message-count'] === count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${queue} never had ${count} messages ready`);
  }

  /** Waits, unseen, until the queue is there no more. */
  async untilGone(queue: string): Promise<void> {
    for (let attempt = 0; attempt < 500; attempt++) {
      const probe = await this.probeChannel();
      const answer = await probe.call('queue.declare', { queue, passive: true });
      if (answer.name === 'channel.close') return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${queue} was never deleted`);
  }

  /** Ends all connections and deletes what was declared. */
  async end(): Promise<void> {
    for (const client of this.clients.values()) await client.close();
    const sweeper = await RawClient.connect(this.address);
    await sweeper.login(this.address);
    let number = 0;
    const sweep = async (method: string, args: Arguments): Promise<void> => {
      const channel = new Channel(this, sweeper, ++number);
      await channel.call('channel.open');
      await channel.call(method, args);
    };
    for (const queue of this.queues) if (queue !== '') await sweep('queue.delete', { queue });
    for (const exchange of this.exchanges) await sweep('exchange.delete', { exchange });
    await sweeper.close();
  }

  private probeNumber = 0;
  private probeClient: RawClient | null = null;

  private async probeChannel(): Promise<Channel> {
    if (this.probeClient === null) {
      this.probeClient = await RawClient.connect(this.address);
      await this.probeClient.login(this.address);
    }
    const channel = new Channel(this, this.probeClient, ++this.probeNumber);
    await channel.call('channel.open');
    return channel;
  }

  async closeProbe(): Promise<void> {
    await this.probeClient?.close();
  }
}

/** One channel of a raw client. */
export class Channel {
  readonly number: number;
  private readonly session: Session;
  private readonly client: RawClient;

  constructor(session: Session, client: RawClient, number: number) {
    this.session = session;
    this.client = client;
    this.number = number;
  }

  send(name: string, args: Arguments = {}): void {
    this.session.declared(name, args);
    this.client.send(this.number, name, args);
  }

  /** Sends and waits for the answer, or for the channel's end. */
  async call(name: string, args: Arguments = {}): Promise<Received> {
    this.send(name, args);
    const answers = name === 'basic.get' ? ['basic.get-ok', 'basic.get-empty'] : [`${name}-ok`];
    return await this.client.next(this.number, answers);
  }

  publish(args: Arguments, body: string | Buffer = '', properties: Properties = {}): void {
    this.client.publish(this.number, args, body, properties);
  }

  /** Publishes to the queue through the default exchange. */
  put(queue: string, body: string | Buffer, properties: Properties = {}): void {
    this.publish({ 'routing-key': queue }, body, properties);
  }

  async get(queue: string, options: Arguments = {}): Promise<Received> {
    return await this.call('basic.get', { queue, ...options });
  }

  /** Gets without acknowledgement until the queue is empty; for the bodies only. */
  async drain(queue: string): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const message = await this.get(queue, { 'no-ack': true });
      if (message.content === undefined) return bodies;
      bodies.push(message.content.body);
    }
  }

  /** Waits for that many frames of that name; fewer come only when the channel ends. */
  async expect(name: string, count = 1): Promise<Received[]> {
    const found: Received[] = [];
    while (found.length < count) {
      const received = await this.client.next(this.number, [name]);
      found.push(received);
      if (received.name !== name) break;
    }
    return found;
  }

  /** A round trip that changes nothing, so that what was sent before has been looked at. */
  async sync(): Promise<Received> {
    return await this.call('channel.flow', { active: true });
  }

  /** Room for what should not come. */
  async quiet(): Promise<void> {
    await this.client.quiet(QUIET_MS);
  }
}
