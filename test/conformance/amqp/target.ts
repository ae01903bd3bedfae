import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrokerProcess } from '../../support/broker-process.ts';
import { startRabbitMq } from '../../support/rabbitmq.ts';

const BIN = fileURLToPath(new URL('../../../bin/lyrebird', import.meta.url));

/** A broker to run suites against. */
export interface Target {
  /** amqp://user:password@host:port, without a virtual host. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Lyrebird, or the product and version of a peer. */
  readonly product: string;
  /** http://host:port of RabbitMQ's HTTP API, or null when it is not known. */
  readonly management: string | null;
  /** A program that stands for rabbitmqctl, and the node name to give it; null when not known. */
  readonly ctl: { readonly program: string; readonly node: string } | null;
  stop(): Promise<void>;
}

export interface TargetOptions {
  /** Port of AMQP when the broker is started here. */
  readonly port?: number;
  /** Settings of a Lyrebird that is started here, beside the defaults. */
  readonly settings?: readonly string[];
}

/**
 * broker: a URL of one that runs, `rabbitmq` to start Debian's, or undefined to start Lyrebird on disk.
 * LYREBIRD_CTL names the program that stands for the rabbitmqctl of a broker that runs (LYREBIRD_CTL_NODE its node).
 */
export async function startTarget(
  broker: string | undefined,
  options: TargetOptions = {},
): Promise<Target> {
  if (broker === undefined) return await startLyrebird(options);
  if (broker === 'rabbitmq') return await startPeer(options);
  const program = process.env['LYREBIRD_CTL'];
  const node = process.env['LYREBIRD_CTL_NODE'] ?? 'rabbit@localhost';
  return {
    ...parts(broker),
    product: 'a broker that was given',
    management: null,
    ctl: program === undefined ? null : { program, node },
    stop: () => Promise.resolve(),
  };
}

function parts(url: string): Pick<Target, 'url' | 'host' | 'port' | 'user' | 'password'> {
  const { hostname: host, port, username, password } = new URL(url);
  const user = decodeURIComponent(username) || 'guest';
  const secret = decodeURIComponent(password) || 'guest';
  const number = Number(port) || 5672;
  return {
    url: `amqp://${user}:${secret}@${host}:${number}`,
    host,
    port: number,
    user,
    password: secret,
  };
}

const scratchFolder = (): string => mkdtempSync(join(tmpdir(), 'lyrebird-amqp-'));

async function startLyrebird(options: TargetOptions): Promise<Target> {
  const folder = scratchFolder();
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const broker = await startBrokerProcess({
      data: join(folder, 'data'),
      listen: [`amqp://127.0.0.1:${options.port ?? 0}`, 'management://127.0.0.1:0'],
      settings: options.settings ?? [],
    });
    const program = join(folder, 'rabbitmqctl');
    const command = `exec '${process.execPath}' '${BIN}' rabbitmqctl "$@"`;
    writeFileSync(program, `#!/bin/sh\nexport LYREBIRD_SERVER='${broker.admin}'\n${command}\n`);
    chmodSync(program, 0o755);
    return {
      ...parts(`amqp://${broker.address('amqp')}`),
      product: 'Lyrebird',
      management: `http://${broker.address('management')}`,
      ctl: { program, node: 'rabbit@localhost' },
      stop: async () => {
        await broker.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

async function startPeer(options: TargetOptions): Promise<Target> {
  const folder = scratchFolder();
  const peer = await startRabbitMq({
    folder,
    ...(options.port === undefined ? {} : { port: options.port }),
    plugins: ['rabbitmq_auth_mechanism_ssl', 'rabbitmq_consistent_hash_exchange'],
    configuration: ['loopback_users = none'],
  });
  return {
    ...parts(peer.url),
    product: `RabbitMQ ${peer.version}`,
    management: peer.management,
    ctl: { program: peer.ctl, node: peer.node },
    stop: async () => {
      await peer.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
