import { once } from 'node:events';
import { connect, type ChannelModel, type ConfirmChannel } from 'amqplib';
import { createBroker, type LyrebirdBroker } from '../../src/index.ts';

export interface ManagementAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A broker in this process with RabbitMQ's interfaces, and requests to them. */
export class ManagementBroker {
  readonly broker: LyrebirdBroker;
  private readonly connections: ChannelModel[] = [];

  private constructor(broker: LyrebirdBroker) {
    this.broker = broker;
  }

  static async start(): Promise<ManagementBroker> {
    return new ManagementBroker(
      await createBroker({
        listeners: { amqp: {}, management: {}, 'amqp-metrics': {}, admin: {}, kafka: {} },
      }),
    );
  }

  async request(
    method: string,
    path: string,
    options: {
      readonly body?: unknown;
      readonly user?: string | null;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<ManagementAnswer> {
    const { body, user = 'guest:guest', headers = {} } = options;
    const response = await fetch(`${this.broker.url('management')}/api${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(user === null ? {} : { authorization: `Basic ${btoa(user)}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async status(method: string, path: string, body?: unknown): Promise<number> {
    return (await this.request(method, path, body === undefined ? {} : { body })).status;
  }

  /** The answer's JSON; fails when it is an error. */
  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const { status, text } = await this.request('GET', path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  }

  async post<T = Record<string, unknown>>(path: string, body: unknown): Promise<T> {
    const { status, text } = await this.request('POST', path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  }

  async scrape(path = '/metrics'): Promise<string> {
    const response = await fetch(`${this.broker.url('amqp-metrics')}${path}`);
    return response.text();
  }

  /** Gives the admin interface a command of rabbitmqctl. */
  async ctl(
    ...args: readonly string[]
  ): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
    const response = await fetch(`${this.broker.url('admin')}/api/v1/commands/rabbitmqctl`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ args }),
    });
    return (await response.json()) as Awaited<ReturnType<ManagementBroker['ctl']>>;
  }

  async connect(name = 'test'): Promise<ChannelModel> {
    const connection = await connect(this.broker.url('amqp'), {
      clientProperties: { connection_name: name },
    });
    connection.on('error', () => {});
    this.connections.push(connection);
    return connection;
  }

  async channel(): Promise<ConfirmChannel> {
    const channel = await (await this.connect()).createConfirmChannel();
    channel.on('error', () => {});
    return channel;
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.connections.map((connection) => connection.close()));
    await this.broker.close();
  }
}

export async function closed(connection: ChannelModel): Promise<void> {
  await once(connection, 'close');
}
