import type { Command } from 'commander';
import { parseBytes, parseDuration } from '../../config/units.ts';
import type { AmqpPlan, PlainArgument } from '../bench/amqp-plan.ts';
import { clientFailure, clientSettings, withBroker, type BrokerOptions } from '../broker-client.ts';
import { parseAmqpUri } from '../destination.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import { collect, parseCount, withExamples } from '../options.ts';
import { printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';

interface AmqpBenchOptions extends BrokerOptions {
  readonly uri?: string;
  readonly id: string;
  readonly producers: string;
  readonly consumers: string;
  readonly producerChannelCount: string;
  readonly consumerChannelCount: string;
  readonly size: string;
  readonly qos?: string;
  readonly confirm?: string;
  readonly confirmTimeout: string;
  readonly autoack?: boolean;
  readonly multiAckEvery: string;
  readonly flag?: readonly string[];
  readonly rate: string;
  readonly consumerRate: string;
  readonly time: string;
  readonly pmessages: string;
  readonly cmessages: string;
  readonly queue?: string;
  readonly queuePattern?: string;
  readonly queuePatternFrom?: string;
  readonly queuePatternTo?: string;
  readonly exchange?: string;
  readonly type: string;
  readonly routingKey?: string;
  readonly randomRoutingKey?: boolean;
  readonly predeclared?: boolean;
  readonly skipBindingQueues?: boolean;
  readonly exclusive?: boolean;
  readonly autoDelete?: string;
  readonly queueArgs?: string;
  readonly consumerArgs?: string;
  readonly messageProperties?: string;
  readonly quorumQueue?: boolean;
  readonly streamQueue?: boolean;
  readonly interval: string;
  readonly outputFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** PerfTest's flags of two and three letters, which otherwise would be taken for several of one. */
const SHORT_FLAGS: Readonly<Record<string, string>> = {
  '-ad': '--auto-delete',
  '-ca': '--consumer-args',
  '-ct': '--confirm-timeout',
  '-mp': '--message-properties',
  '-qa': '--queue-args',
  '-qp': '--queue-pattern',
  '-qpf': '--queue-pattern-from',
  '-qpt': '--queue-pattern-to',
  '-qq': '--quorum-queue',
  '-sb': '--skip-binding-queues',
  '-sq': '--stream-queue',
};
const STREAM_PREFETCH = 200;
const MESSAGE_BYTES = 12;

export function benchAmqpCommand(bench: Command, terminal: Terminal): void {
  const command = bench
    .command('amqp')
    .description("publish to and consume from AMQP queues, with the flags of RabbitMQ's PerfTest")
    .helpOption('--help', 'print this help')
    .option('-h, --uri <uri>', 'amqp://user:password@host:port/vhost (default: as for pub)')
    .option('-d, --id <name>', 'name of the run', 'bench');
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => parse(args.map((arg) => SHORT_FLAGS[arg] ?? arg));
  withTopology(withLoad(command))
    .option('-i, --interval <seconds>', 'print a line so often', '1')
    .option('-o, --output-file <file>', 'write the lines as CSV')
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress');
  withExamples(
    withBroker(command),
    'lyrebird bench amqp -x 1 -y 2 -u throughput -a -z 30',
    'lyrebird bench amqp -u durable -ad false -f persistent -c 1000 -q 500 -A 100 -C 1000000 -D 1000000',
    'lyrebird bench amqp -h amqp://guest:guest@127.0.0.1:5672 -qq -u qq -r 5000 -z 60 -o run.csv',
  );
  command.action(async (options: AmqpBenchOptions) => {
    await runBench(terminal, options).catch((error: unknown) => {
      throw clientFailure(error);
    });
  });
}

function withLoad(command: Command): Command {
  return command
    .option('-x, --producers <count>', 'producers, each with a connection', '1')
    .option('-y, --consumers <count>', 'consumers, each with a connection', '1')
    .option('-X, --producer-channel-count <count>', 'channels of a producer', '1')
    .option('-Y, --consumer-channel-count <count>', 'channels of a consumer', '1')
    .option('-s, --size <bytes>', 'bytes of a message, at least 12', String(MESSAGE_BYTES))
    .option('-q, --qos <count>', `prefetch (default: no limit; for a stream ${STREAM_PREFETCH})`)
    .option('-c, --confirm <count>', 'publish with confirms, so many unconfirmed at most')
    .option('--confirm-timeout <seconds>', 'how long to wait for the last confirms (-ct)', '30')
    .option('-a, --autoack', 'the broker waits for no acks')
    .option('-A, --multi-ack-every <count>', 'acknowledge so many at once', '0')
    .option('-f, --flag <flag>', 'persistent or mandatory; repeatable', collect)
    .option('--message-properties <list>', 'such as priority=5,content-type=text/plain (-mp)')
    .option('-r, --rate <count>', 'messages per second of each producer; 0 no limit', '0')
    .option('-R, --consumer-rate <count>', 'messages per second of each consumer; 0 no limit', '0')
    .option('-z, --time <seconds>', 'stop after this time; 0 no limit', '0')
    .option('-C, --pmessages <count>', 'messages of each producer; 0 no limit', '0')
    .option('-D, --cmessages <count>', 'messages of each consumer; 0 no limit', '0');
}

function withTopology(command: Command): Command {
  return command
    .option('-u, --queue <names>', 'queue, or several with commas (default: one per consumer)')
    .option('--queue-pattern <pattern>', 'names of queues, such as perf-%d (-qp)')
    .option('--queue-pattern-from <number>', 'first number of the pattern (-qpf)')
    .option('--queue-pattern-to <number>', 'last number of the pattern (-qpt)')
    .option('-e, --exchange <name>', "exchange; '' the default one (default: the type's name)")
    .option('-t, --type <type>', 'type of the exchange', 'direct')
    .option('-k, --routing-key <key>', 'routing key (default: one of this run)')
    .option('-K, --random-routing-key', 'another routing key for each message')
    .option('-p, --predeclared', 'declare and bind nothing')
    .option('--skip-binding-queues', 'declare queues and do not bind them (-sb)')
    .option('-E, --exclusive', 'exclusive queues')
    .option('--auto-delete <true|false>', 'queues go with their last consumer (-ad, default: true)')
    .option('--queue-args <list>', 'such as x-max-length=1000,x-message-ttl=60000 (-qa)')
    .option('--consumer-args <list>', 'such as x-priority=5 (-ca)')
    .option('--quorum-queue', 'durable quorum queues, persistent messages (-qq)')
    .option('--stream-queue', 'durable streams, persistent messages (-sq)');
}

async function runBench(terminal: Terminal, options: AmqpBenchOptions): Promise<void> {
  const destination = parseAmqpUri(options.uri ?? 'amqp://');
  const settings = await clientSettings(destination, options, terminal.environment);
  const [{ loadAmqp }, { AmqpBench }, { AmqpReport, renderAmqpResult }] = await Promise.all([
    import('../../server/clients.ts'),
    import('../bench/amqp-run.ts'),
    import('../bench/amqp-report.ts'),
  ]);
  const amqp = await loadAmqp();
  await interruptible(async (signal) => {
    const plan = benchPlan(options, signal);
    for (const [name, value] of Object.entries(plan.properties)) {
      const fault = amqp.propertyFault(name, value);
      if (fault !== null) throw usageError(`--message-properties ${name}=${value}: ${fault}`);
    }
    const report = new AmqpReport(terminal, {
      id: options.id,
      csv: options.outputFile ?? null,
      quiet: options.quiet === true,
      intervalMs: readSeconds(options.interval, '--interval'),
    });
    const open = () => new amqp.AmqpClient({ ...settings, clientId: `lyrebird-${options.id}` });
    await new AmqpBench(amqp, open, plan, report).run();
    const result = report.finish();
    if (options.json === true) printJson(terminal, { bench: result });
    else terminal.out(renderAmqpResult(result));
    if (result.nacked > 0) {
      throw new CommandError(EXIT.partial, `the broker did not take ${result.nacked} messages`);
    }
    const isLimited = [plan.durationMs, plan.producerMessages, plan.consumerMessages].some(
      (limit) => limit !== Infinity,
    );
    // Without a limit an interrupt is how a run ends.
    if (signal.aborted && isLimited) throw new CommandError(EXIT.interrupted, '');
  });
}

function benchPlan(options: AmqpBenchOptions, signal: AbortSignal): AmqpPlan {
  const flags = new Set(options.flag);
  for (const flag of flags) {
    if (flag !== 'persistent' && flag !== 'mandatory')
      throw usageError(`--flag ${flag}: expected persistent or mandatory`);
  }
  const isReplicated = options.quorumQueue === true || options.streamQueue === true;
  if (options.quorumQueue === true && options.streamQueue === true)
    throw usageError('--quorum-queue or --stream-queue, not both');
  if (options.streamQueue === true && options.autoack === true)
    throw usageError('a stream wants acknowledgements: --autoack does not go with it');
  const persistent = flags.has('persistent') || isReplicated;
  const queueType = options.quorumQueue === true ? 'quorum' : 'stream';
  const prefetch = options.streamQueue === true ? STREAM_PREFETCH : 0;
  return {
    producers: parseCount(options.producers, '--producers'),
    consumers: parseCount(options.consumers, '--consumers'),
    producerChannels: parseCount(options.producerChannelCount, '--producer-channel-count', 1),
    consumerChannels: parseCount(options.consumerChannelCount, '--consumer-channel-count', 1),
    messageBytes: readBytes(options.size),
    properties: { ...(persistent ? { 'delivery-mode': '2' } : {}), ...messageProperties(options) },
    mandatory: flags.has('mandatory'),
    confirm: options.confirm === undefined ? null : readConfirm(options.confirm),
    confirmTimeoutMs: readSeconds(options.confirmTimeout, '--confirm-timeout'),
    autoAck: options.autoack === true,
    multiAckEvery: parseCount(options.multiAckEvery, '--multi-ack-every'),
    prefetch: options.qos === undefined ? prefetch : parseCount(options.qos, '--qos'),
    rate: readRate(options.rate, '--rate'),
    consumerRate: readRate(options.consumerRate, '--consumer-rate'),
    durationMs: options.time === '0' ? Infinity : readSeconds(options.time, '--time'),
    producerMessages: limitOf(options.pmessages, '--pmessages'),
    consumerMessages: limitOf(options.cmessages, '--cmessages'),
    queues: queueNames(options),
    exchange: options.exchange ?? options.type,
    exchangeType: options.type,
    routingKey:
      options.routingKey ?? `bench-${process.pid.toString(36)}-${Date.now().toString(36)}`,
    randomRoutingKey: options.randomRoutingKey === true,
    predeclared: options.predeclared === true,
    bindQueues: options.skipBindingQueues !== true,
    durable: persistent,
    exclusive: options.exclusive === true,
    autoDelete: !isReplicated && readBoolean(options.autoDelete ?? 'true'),
    queueArguments: {
      ...(isReplicated ? { 'x-queue-type': queueType } : {}),
      ...readArguments(options.queueArgs, '--queue-args'),
    },
    consumerArguments: readArguments(options.consumerArgs, '--consumer-args'),
    signal,
  };
}

function queueNames(options: AmqpBenchOptions): string[] {
  const { queuePattern, queuePatternFrom, queuePatternTo } = options;
  if (queuePattern === undefined) return options.queue?.split(',') ?? [];
  if (queuePatternFrom === undefined || queuePatternTo === undefined || options.queue !== undefined)
    throw usageError('--queue-pattern goes with -from and -to, and not with --queue');
  const from = parseCount(queuePatternFrom, '--queue-pattern-from');
  const to = parseCount(queuePatternTo, '--queue-pattern-to', from);
  if (to - from > 100_000) throw usageError('--queue-pattern: too many queues');
  return Array.from({ length: to - from + 1 }, (_, index) =>
    queuePattern.replace(/%(0\d+)?d/, (_match, width?: string) =>
      String(from + index).padStart(Number(width ?? 0), '0'),
    ),
  );
}

function messageProperties({ messageProperties: list }: AmqpBenchOptions): Record<string, string> {
  const properties = readArguments(list, '--message-properties');
  // PerfTest writes contentType where the specification has content-type.
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      String(value),
    ]),
  );
}

/** `name=value` with commas between; numbers are numbers. */
function readArguments(list: string | undefined, flag: string): Record<string, PlainArgument> {
  const result: Record<string, PlainArgument> = {};
  for (const pair of list === undefined || list === '' ? [] : list.split(',')) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw usageError(`${flag} ${pair}: expected name=value`);
    const text = pair.slice(equals + 1);
    result[pair.slice(0, equals).trim()] = plainValue(text);
  }
  return result;
}

function plainValue(text: string): PlainArgument {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

function readConfirm(text: string): number {
  return text === '-1' ? 2 ** 20 : parseCount(text, '--confirm', 1);
}

function limitOf(text: string, flag: string): number {
  const count = parseCount(text, flag);
  return count === 0 ? Infinity : count;
}

function readRate(text: string, flag: string): number {
  const rate = Number(text);
  if (text === '-1' || rate === 0) return Infinity;
  if (!(rate > 0)) throw usageError(`${flag} ${text}: expected messages per second`);
  return rate;
}

function readSeconds(text: string, flag: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms === null || ms === 0) throw usageError(`${flag} ${text}: expected seconds, or 30s`);
  return ms;
}

function readBytes(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === null) throw usageError(`--size ${text}: expected a size such as 1024 or 16KiB`);
  return bytes;
}

function readBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw usageError(`--auto-delete ${text}: true or false`);
  return text === 'true';
}
