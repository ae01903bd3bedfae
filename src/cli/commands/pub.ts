import { createInterface } from 'node:readline';
import { Option, type Command } from 'commander';
import type {
  MessageHeader,
  MessagingClient,
  OutgoingMessage,
  Publisher,
  PublishOutcome,
  PublisherSettings,
} from '../../server/clients.ts';
import { withSuggestion } from '../names.ts';
import { collect, parseCount, parsePairs, withExamples } from '../options.ts';
import { clientFailure, openClient, withBroker, type BrokerOptions } from '../broker-client.ts';
import { parseDestination, refuseFlags, type Destination } from '../destination.ts';
import { formatDuration } from '../../config/units.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { parseReconnect } from '../reconnect.ts';
import type { Terminal } from '../terminal.ts';

interface PubOptions extends BrokerOptions {
  readonly key?: string;
  readonly header?: readonly string[];
  readonly count: string;
  readonly partition?: string;
  readonly acks: 'all' | '1' | '0';
  readonly compress: 'none' | 'gzip';
  readonly keyDelimiter?: string;
  readonly tombstone?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly reconnect: string;
  readonly property?: readonly string[];
  readonly transient?: boolean;
  readonly mandatory?: boolean;
}

export const ACKS = { all: -1, '-1': -1, '1': 1, '0': 0 } as const;

export function pubCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('pub <dest> [body]')
    .description('publish a message, or each line of the standard input')
    .option('-k, --key <key>', 'key of the messages; amqp: routing key, for an exchange')
    .option('-H, --header <name:value>', 'header; repeatable', collect)
    .option('-n, --count <count>', 'publish the body so many times', '1')
    .option('-p, --partition <number>', "partition (default: the key's, else the broker's turn)")
    .addOption(
      new Option('--acks <acks>', 'when it counts as published')
        .choices(['all', '1', '0'])
        .default('all'),
    )
    .addOption(
      new Option('-z, --compress <codec>', 'compression').choices(['none', 'gzip']).default('none'),
    )
    .option('-K, --key-delimiter <text>', 'lines are key, delimiter, body')
    .option('--tombstone', 'publish a message without a body: deletes the key in a compacted topic')
    .option(
      '--property <name=value>',
      'amqp: content-type, correlation-id, expiration, priority and so on; repeatable',
      collect,
    )
    .option('--transient', 'amqp: the messages need not survive a restart of the broker')
    .option('--mandatory', 'amqp: fail when an exchange has no queue for a message')
    .option(
      '--reconnect <duration>',
      'with acks: how long to try to reach a lost broker again; kafka with acks all: no message is stored twice',
      '60s',
    )
    .option('--json', 'print partition and offset of each message')
    .option('-q, --quiet', 'print nothing');
  withExamples(
    withBroker(command),
    'lyrebird pub orders \'{"id":1}\' -k 1 -H source:cli',
    'lyrebird pub kafka://127.0.0.1:9092/orders hello -n 10',
    "cat orders.txt | lyrebird pub orders -K ':'",
    'lyrebird pub amqp://127.0.0.1/jobs work --property content-type=text/plain',
    'lyrebird pub amqp://127.0.0.1/amq.topic/orders.eu new -H source:cli --mandatory',
  );
  command.action(async (dest: string, body: string | undefined, options: PubOptions) => {
    await publish(terminal, dest, body, options).catch((error: unknown) => {
      throw clientFailure(error);
    });
  });
}

async function publish(
  terminal: Terminal,
  dest: string,
  body: string | undefined,
  options: PubOptions,
): Promise<void> {
  if (options.tombstone === true && (body !== undefined || options.key === undefined)) {
    throw usageError('--tombstone goes with --key and without a body');
  }
  const destination = parseDestination(dest);
  checkFlags(destination, options);
  const count = parseCount(options.count, '--count', 1);
  const template = messageTemplate(options);
  const settings = await publisherSettings(terminal, destination, options);
  const client = await openClient(destination, options, terminal.environment);
  try {
    const outcomes = new Outcomes(terminal, destination.name, options.json === true);
    const publisher = await openPublisher(client, settings, (outcome) => outcomes.add(outcome));
    if (body !== undefined || options.tombstone === true) {
      const value = options.tombstone === true ? null : Buffer.from(body ?? '');
      for (let index = 0; index < count; index++) await send(publisher, { ...template, value });
    } else {
      await publishLines(terminal, publisher, template, { ...options, count });
    }
    await publisher.flush();
    outcomes.finish(options.quiet === true);
  } finally {
    await client.close();
  }
}

function checkFlags(destination: Destination, options: PubOptions): void {
  if (destination.scheme !== 'amqp') {
    const { property, transient, mandatory } = options;
    const flags = { '--property': property, '--transient': transient, '--mandatory': mandatory };
    return refuseFlags(destination, flags);
  }
  refuseFlags(destination, {
    '--partition': options.partition,
    '--compress': options.compress !== 'none',
    '--tombstone': options.tombstone,
  });
  const hasKey = options.key !== undefined || options.keyDelimiter !== undefined;
  if (hasKey && !destination.name.includes('/')) {
    throw usageError(
      'a queue has no routing keys',
      `to publish to an exchange, end with a slash: amqp://host/${destination.name}/`,
    );
  }
}

async function publisherSettings(
  terminal: Terminal,
  destination: Destination,
  options: PubOptions,
): Promise<PublisherSettings> {
  const reconnectMs = parseReconnect(options.reconnect);
  const settings: PublisherSettings = {
    topic: destination.name,
    acks: ACKS[options.acks],
    compression: options.compress,
    retryMs: reconnectMs,
    onOutage: ({ message }) => {
      terminal.err(`${message}; trying again for ${formatDuration(reconnectMs)}\n`);
    },
  };
  if (destination.scheme !== 'amqp') return settings;
  return {
    ...settings,
    mandatory: options.mandatory === true,
    properties: await messageProperties(options),
    onBlocked: (reason) => {
      const told = reason === null ? 'the broker takes messages again' : `blocked: ${reason}`;
      terminal.err(`${told}\n`);
    },
  };
}

async function messageProperties(options: PubOptions): Promise<Record<string, string>> {
  const { loadAmqp } = await import('../../server/clients.ts');
  const { propertyFault } = await loadAmqp();
  const properties = parsePairs(options.property, '--property');
  for (const [name, value] of Object.entries(properties)) {
    const fault = propertyFault(name, value);
    if (fault !== null) throw usageError(`--property ${name}=${value}: ${fault}`);
  }
  return { 'delivery-mode': options.transient === true ? '1' : '2', ...properties };
}

/** What does not exist is an error that says which was meant. */
function openPublisher(
  client: MessagingClient,
  settings: PublisherSettings,
  onOutcome: (outcome: PublishOutcome) => void,
): Promise<Publisher> {
  const open = (): Promise<Publisher> =>
    client.producer(settings, onOutcome).catch((error: unknown) => {
      throw clientFailure(error);
    });
  return withSuggestion(settings.topic, open, () => client.topicNames());
}

async function publishLines(
  terminal: Terminal,
  publisher: Publisher,
  template: Omit<OutgoingMessage, 'value'>,
  options: { readonly count: number; readonly keyDelimiter?: string; readonly quiet?: boolean },
): Promise<void> {
  if (terminal.stdinIsTty && options.quiet !== true)
    terminal.err('one message per line, Ctrl-D ends\n');
  for await (const line of createInterface({ input: terminal.stdin, crlfDelay: Infinity })) {
    const message = splitLine(line, template, options.keyDelimiter);
    for (let index = 0; index < options.count; index++) await send(publisher, message);
  }
}

function splitLine(
  line: string,
  template: Omit<OutgoingMessage, 'value'>,
  delimiter: string | undefined,
): OutgoingMessage {
  const at = delimiter === undefined || delimiter === '' ? -1 : line.indexOf(delimiter);
  if (delimiter === undefined || at < 0) return { ...template, value: Buffer.from(line) };
  return {
    ...template,
    key: Buffer.from(line.slice(0, at)),
    value: Buffer.from(line.slice(at + delimiter.length)),
  };
}

async function send(publisher: Publisher, message: OutgoingMessage): Promise<void> {
  if (!publisher.hasRoom) await publisher.room();
  const { partition } = message;
  if (partition !== undefined && partition >= publisher.partitions.length) {
    throw new CommandError(
      EXIT.notFound,
      `there is no partition ${partition}; the topic has ${publisher.partitions.length}`,
    );
  }
  publisher.append(message, Date.now(), 0);
}

function messageTemplate(options: PubOptions): Omit<OutgoingMessage, 'value'> {
  const headers: MessageHeader[] = (options.header ?? []).map((text) => {
    const colon = text.indexOf(':');
    if (colon <= 0) throw usageError(`--header ${text}: expected name:value`);
    return { name: text.slice(0, colon), value: Buffer.from(text.slice(colon + 1).trimStart()) };
  });
  return {
    key: options.key === undefined ? null : Buffer.from(options.key),
    headers,
    ...(options.partition === undefined
      ? {}
      : { partition: parseCount(options.partition, '--partition') }),
  };
}

/** Counts what was stored and remembers the first failure. */
class Outcomes {
  private readonly terminal: Terminal;
  private readonly topic: string;
  private readonly json: boolean;
  private published = 0;
  private failed = 0;
  private failure: Error | null = null;
  private last: { partition: number; offset: number } | null = null;

  constructor(terminal: Terminal, topic: string, json: boolean) {
    this.terminal = terminal;
    this.topic = topic;
    this.json = json;
  }

  add({ partition, baseOffset, tokens, error }: PublishOutcome): void {
    if (error !== null) {
      this.failed += tokens.length;
      this.failure ??= error;
      return;
    }
    this.published += tokens.length;
    this.last = { partition, offset: baseOffset < 0 ? -1 : baseOffset + tokens.length - 1 };
    if (!this.json) return;
    for (let index = 0; index < tokens.length; index++) {
      const offset = baseOffset < 0 ? null : baseOffset + index;
      const where = partition < 0 ? {} : { partition, offset };
      this.terminal.out(`${JSON.stringify({ topic: this.topic, ...where })}\n`);
    }
  }

  finish(quiet: boolean): void {
    if (this.failure !== null && this.published === 0) throw this.failure;
    if (this.failure !== null) {
      throw new CommandError(
        EXIT.partial,
        `${this.failed} of ${this.failed + this.published} messages were not published: ${this.failure.message}`,
      );
    }
    if (quiet) return;
    const noun = this.published === 1 ? 'message' : 'messages';
    const where =
      this.last === null || this.last.offset < 0
        ? ''
        : ` (last: partition ${this.last.partition}, offset ${this.last.offset})`;
    this.terminal.err(`published ${this.published} ${noun} to ${this.topic}${where}\n`);
  }
}
