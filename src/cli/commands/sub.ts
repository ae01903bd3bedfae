import type { Command } from 'commander';
import type {
  IncomingData,
  MessagingClient,
  StartPoint,
  Subscriber,
  SubscriberSettings,
} from '../../server/clients.ts';
import { withSuggestion } from '../names.ts';
import { parseCount, parsePartitions, withExamples } from '../options.ts';
import { clientFailure, openClient, withBroker, type BrokerOptions } from '../broker-client.ts';
import { parseDestination, refuseFlags, type Destination } from '../destination.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { parseInstant } from '../instant.ts';
import { aborted, interruptible } from '../interrupt.ts';
import { messageFormatter, messageJson, type LocatedMessage } from '../message-format.ts';
import { isOutage, parseReconnect, reconnect } from '../reconnect.ts';
import type { Terminal } from '../terminal.ts';

interface SubOptions extends BrokerOptions {
  readonly offset?: string;
  readonly count?: string;
  readonly format: string;
  readonly json?: boolean;
  readonly group?: string;
  readonly partitions?: string;
  readonly exitAtEnd?: boolean;
  readonly reconnect: string;
  readonly ack: boolean;
  readonly prefetch?: string;
}

const PREFETCH = 200;

export function subCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('sub <dest...>')
    .description('print the messages of topics, queues or exchanges as they come')
    .option(
      '-o, --offset <where>',
      'of topics and streams: start, end (default), an offset, -N for the last N of each partition, an instant (RFC 3339), or a time back (-15m)',
    )
    .option('-n, --count <count>', 'stop after so many messages')
    .option('-e, --exit-at-end', 'stop at the end of what exists')
    .option(
      '-f, --format <format>',
      '%t topic, %p partition, %o offset, %k key, %v value, %T ms, %D date, %h headers',
      '%v\\n',
    )
    .option('--json', 'one JSON object per line')
    .option('-g, --group <group>', 'read as a member of this group and commit')
    .option('-p, --partitions <list>', 'only these, such as 0,3 or 5-8')
    .option('--no-ack', 'amqp: the broker forgets messages when it has sent them, printed or not')
    .option(
      '--prefetch <count>',
      `amqp: how many may come before the first is acknowledged (default: ${PREFETCH}, or --count)`,
    )
    .option('--reconnect <duration>', 'how long to try to reach a lost broker again', '60s');
  withExamples(
    withBroker(command),
    'lyrebird sub orders -o start -e',
    "lyrebird sub orders -o -15m -f '%t %p %o %k %v\\n'",
    'lyrebird sub kafka://127.0.0.1:9092/orders -g billing --json',
    'lyrebird sub amqp://127.0.0.1/jobs -n 10',
    "lyrebird sub 'amqp://127.0.0.1/amq.topic/orders.#' -f '%k %v\\n'",
  );
  command.action(async (dests: string[], options: SubOptions) => {
    await subscribe(terminal, dests, options).catch((error: unknown) => {
      throw clientFailure(error);
    });
  });
}

async function subscribe(terminal: Terminal, dests: string[], options: SubOptions): Promise<void> {
  const destinations = dests.map(parseDestination);
  const [first] = destinations;
  if (first === undefined) throw usageError('name a topic');
  for (const destination of destinations) checkFlags(destination, first, options);
  if (options.group !== undefined && options.partitions !== undefined) {
    throw usageError('--partitions does not go with --group: the group assigns them');
  }
  const limit = options.count === undefined ? Infinity : parseCount(options.count, '--count', 1);
  const settings = {
    topics: destinations.map((destination) => destination.name),
    from: options.offset === undefined ? null : parseStart(options.offset),
    partitions:
      options.partitions === undefined ? null : parsePartitions(options.partitions, '--partitions'),
    group: options.group ?? null,
    noAck: !options.ack,
    prefetch:
      options.prefetch === undefined
        ? Math.min(limit, PREFETCH)
        : parseCount(options.prefetch, '--prefetch', 1),
  };
  const reconnectMs = parseReconnect(options.reconnect);
  const formatter = messageFormatter(options.format);
  const render = options.json === true ? (m: LocatedMessage) => `${messageJson(m)}\n` : formatter;
  await interruptible(async (signal) => {
    const client = await openClient(first, options, terminal.environment);
    try {
      const subscriber = await openSubscriber(client, settings);
      const exitAtEnd = options.exitAtEnd === true;
      const stopped = aborted(signal).then(() => null);
      const how = { limit, exitAtEnd, render, reconnectMs, signal, stopped };
      await printMessages(terminal, subscriber, how);
      await subscriber.close();
    } finally {
      await client.close();
    }
    if (signal.aborted) throw new CommandError(EXIT.interrupted, '');
  });
}

/** One client reads them all; each protocol has flags of its own. */
function checkFlags(destination: Destination, first: Destination, options: SubOptions): void {
  const { scheme, host, port, virtualHost } = destination;
  if (
    scheme !== first.scheme ||
    host !== first.host ||
    port !== first.port ||
    virtualHost !== first.virtualHost
  ) {
    throw usageError('destinations of one command have the same broker');
  }
  if (scheme === 'amqp') {
    refuseFlags(destination, { '--group': options.group, '--partitions': options.partitions });
  } else {
    refuseFlags(destination, { '--no-ack': !options.ack, '--prefetch': options.prefetch });
  }
}

/** What does not exist is an error that says which was meant. */
function openSubscriber(
  client: MessagingClient,
  settings: SubscriberSettings,
): Promise<Subscriber> {
  const open = (): Promise<Subscriber> =>
    client.consumer(settings).catch((error: unknown) => {
      throw clientFailure(error);
    });
  const [topic] = settings.topics;
  if (topic === undefined || settings.topics.length > 1) return open();
  return withSuggestion(topic, open, () => client.topicNames());
}

interface PrintOptions {
  readonly limit: number;
  readonly exitAtEnd: boolean;
  readonly render: (message: LocatedMessage) => string | Buffer;
  readonly reconnectMs: number;
  readonly signal: AbortSignal;
  /** Resolves when the signal aborts. */
  readonly stopped: Promise<null>;
}

async function printMessages(
  terminal: Terminal,
  subscriber: Subscriber,
  options: PrintOptions,
): Promise<void> {
  const { limit, render } = options;
  let printed = 0;
  for (;;) {
    const data = await nextData(terminal, subscriber, options);
    if (data === null) return;
    for (const part of data) {
      const { topic, partition } = part;
      part.forEachRecord((message) => {
        if (printed >= limit) return false;
        printed++;
        terminal.out(render({ ...message, topic, partition }));
        return true;
      });
    }
    await terminal.drained();
    if (printed >= limit) return;
  }
}

/** What comes next, after a lost connection too; null at the end or when interrupted. */
async function nextData(
  terminal: Terminal,
  subscriber: Subscriber,
  { exitAtEnd, reconnectMs, signal, stopped }: PrintOptions,
): Promise<IncomingData[] | null> {
  try {
    if (exitAtEnd && (await subscriber.atEnd())) return null;
    return await Promise.race([subscriber.poll(), stopped]);
  } catch (outage) {
    if (!isOutage(outage)) throw outage;
    const options = { outage, withinMs: reconnectMs, signal, terminal };
    return (await reconnect(() => subscriber.resume(), options)) ? [] : null;
  }
}

/** Numbers are offsets; a negative one counts back from the end. */
function parseStart(text: string): StartPoint {
  if (text === 'start' || text === 'earliest' || text === 'beginning') return 'start';
  if (text === 'end' || text === 'latest') return 'end';
  if (/^\d{1,12}$/.test(text)) return { offset: Number(text) };
  if (/^-\d+$/.test(text)) return { last: Number(text.slice(1)) };
  const instant = parseInstant(text, Date.now());
  if (instant === null)
    throw usageError(`--offset ${text}: expected start, end, an offset or a time`);
  return { time: instant };
}
