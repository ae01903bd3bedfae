import { createInterface } from 'node:readline';
import { Option, type Command } from 'commander';
import type {
  MessageHeader,
  OutgoingMessage,
  Publisher,
  PublishOutcome,
} from '../../server/clients.ts';
import { collect, parseCount, withExamples } from '../options.ts';
import {
  clientFailure,
  openClient,
  parseDestination,
  withBroker,
  type BrokerOptions,
} from '../destination.ts';
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
}

export const ACKS = { all: -1, '-1': -1, '1': 1, '0': 0 } as const;

export function pubCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('pub <dest> [body]')
    .description('publish a message, or each line of the standard input')
    .option('-k, --key <key>', 'key of the messages')
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
      '--reconnect <duration>',
      'with acks all: how long to try to reach a lost broker again; no message is stored twice',
      '60s',
    )
    .option('--json', 'print partition and offset of each message')
    .option('-q, --quiet', 'print nothing');
  withExamples(
    withBroker(command),
    'lyrebird pub orders \'{"id":1}\' -k 1 -H source:cli',
    'lyrebird pub kafka://127.0.0.1:9092/orders hello -n 10',
    "cat orders.txt | lyrebird pub orders -K ':'",
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
  const count = parseCount(options.count, '--count', 1);
  const template = messageTemplate(options);
  const reconnectMs = parseReconnect(options.reconnect);
  const client = await openClient(destination, options, terminal.environment);
  try {
    const outcomes = new Outcomes(terminal, destination.name, options.json === true);
    const publisher = await client.producer(
      {
        topic: destination.name,
        acks: ACKS[options.acks],
        compression: options.compress,
        retryMs: reconnectMs,
        onOutage: ({ message }) => {
          terminal.err(`${message}; trying again for ${formatDuration(reconnectMs)}\n`);
        },
      },
      (outcome) => outcomes.add(outcome),
    );
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
      this.terminal.out(`${JSON.stringify({ topic: this.topic, partition, offset })}\n`);
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
