/**
 * What the AMQP codec costs, without a network and without a broker: millions of operations per second of one thread.
 *
 *   node --import tsx bench/micro/amqp-codec.ts [--only NAME] [--rounds N]
 */
import { parseArgs } from 'node:util';
import { ArgumentReader } from '../../src/protocols/amqp/codec/argument-reader.ts';
import { BytesInterner } from '../../src/protocols/amqp/codec/bytes-interner.ts';
import { ContentHeader } from '../../src/protocols/amqp/codec/content-header.ts';
import {
  DeliverPrefix,
  OutgoingContent,
  writeAck,
  writeContent,
  writeDelivery,
} from '../../src/protocols/amqp/codec/content-writer.ts';
import { FRAME } from '../../src/protocols/amqp/codec/frame.ts';
import { FrameScanner } from '../../src/protocols/amqp/codec/frame-scanner.ts';
import {
  NO_PROPERTIES,
  writeBasicProperties,
} from '../../src/protocols/amqp/codec/generated/basic-properties.ts';
import {
  BASIC_ACK,
  BASIC_PUBLISH,
  readBasicPublish,
  writeBasicPublish,
} from '../../src/protocols/amqp/codec/generated/basic.ts';
import { Output } from '../../src/protocols/amqp/codec/output.ts';
import { OutputPool } from '../../src/protocols/amqp/codec/output-pool.ts';
import {
  PublishArguments,
  SettleArguments,
} from '../../src/protocols/amqp/codec/publish-arguments.ts';

const MESSAGES = 500;
const pool = new OutputPool();

/** Publishes as a client sends them: method, header with three properties and two headers, body. */
function publishes(bodyBytes: number): Buffer {
  const properties = new Output(pool, null);
  writeBasicProperties(properties, {
    ...NO_PROPERTIES,
    contentType: 'application/json',
    headers: [
      { key: 'trace', field: { type: 'S', value: '0af7651916cd43dd8448eb211c80319c' } },
      { key: 'CC', field: { type: 'A', value: [{ type: 'S', value: 'copy' }] } },
    ],
    deliveryMode: 2,
  });
  const section = properties.toBuffer();
  const content = new OutgoingContent();
  content.section = section;
  content.sectionEnd = section.length;
  content.body = Buffer.alloc(bodyBytes, 'lyrebird ');
  content.bodyEnd = bodyBytes;
  const output = new Output(pool, null);
  for (let i = 0; i < MESSAGES; i++) {
    const method = {
      exchange: 'orders',
      routingKey: `region.${i % 50}.created`,
      mandatory: false,
      immediate: false,
    };
    writeBasicPublish(output, 1, method);
    writeContent(output, 1, content);
  }
  return output.toBuffer();
}

function acks(): Buffer {
  const output = new Output(pool, null);
  for (let i = 0; i < MESSAGES; i++) writeAck(output, 1, i + 1, false);
  return output.toBuffer();
}

interface Case {
  readonly name: string;
  readonly unit: string;
  /** Does the work of MESSAGES operations; the result keeps it from being left out. */
  readonly run: () => number;
  readonly perRun: number;
}

const CC = Buffer.from('CC');
const scanner = new FrameScanner(131_072);
const publish = new PublishArguments();
const settle = new SettleArguments();
const header = new ContentHeader();
const interner = new BytesInterner();
const reader = new ArgumentReader(Buffer.alloc(0));

function scanOnly(input: Buffer): number {
  let frames = 0;
  for (let at = 0; ; frames++) {
    at = scanner.scan(input, at, input.length);
    if (at < 0) return frames;
  }
}

/** All that a broker needs of a publish: names, properties, whether there is a CC. */
function parsePublishes(input: Buffer): number {
  let sum = 0;
  for (let at = 0; ;) {
    at = scanner.scan(input, at, input.length);
    if (at < 0) return sum;
    const { start, end } = scanner;
    if (scanner.type === FRAME.method) {
      if (scanner.methodId(input) !== BASIC_PUBLISH) throw new Error('not a publish');
      publish.parse(input, start + 4, end);
      sum += interner.intern(input, publish.exchangeStart, publish.exchangeEnd).length;
      sum += interner.intern(input, publish.routingKeyStart, publish.routingKeyEnd).length;
    } else if (scanner.type === FRAME.header) {
      header.parse(input, start, end);
      if (header.findHeader(CC) !== null) sum++;
    } else {
      sum += end - start;
    }
  }
}

function readPublishObjects(input: Buffer): number {
  let sum = 0;
  for (let at = 0; ;) {
    at = scanner.scan(input, at, input.length);
    if (at < 0) return sum;
    if (scanner.type !== FRAME.method) continue;
    reader.reset(input, scanner.start + 4, scanner.end);
    sum += readBasicPublish(reader).routingKey.length;
  }
}

function parseAcks(input: Buffer): number {
  let sum = 0;
  for (let at = 0; ;) {
    at = scanner.scan(input, at, input.length);
    if (at < 0) return sum;
    if (scanner.methodId(input) !== BASIC_ACK) throw new Error('not an ack');
    settle.parseAck(input, scanner.start + 4, scanner.end);
    sum += settle.deliveryTag;
  }
}

/** Deliveries of what was published, each from its own place in the input. */
function deliver(input: Buffer): () => number {
  let sent = 0;
  const output = new Output(pool, { writeShared: (_buffer, start, end) => (sent += end - start) });
  const prefix = new DeliverPrefix(1, 'amq.ctag-Qb0bU9cJ4X0yTjV');
  const content = new OutgoingContent();
  const messages: number[][] = [];
  for (let at = 0; ;) {
    const next = scanner.scan(input, at, input.length);
    if (next < 0) break;
    publish.parse(input, scanner.start + 4, scanner.end);
    const bodyAt = scanner.scan(input, next, input.length);
    header.parse(input, scanner.start, scanner.end);
    at = scanner.scan(input, bodyAt, input.length);
    messages.push([publish.routingStart, publish.routingEnd]);
    messages.push([header.sectionStart, header.sectionEnd, scanner.start, scanner.end]);
  }
  const flat = Int32Array.from(messages.flat());
  content.routing = content.section = content.body = input;
  let tag = 0;
  return () => {
    for (let i = 0; i < flat.length; i += 6) {
      content.routingStart = flat[i]!;
      content.routingEnd = flat[i + 1]!;
      content.sectionStart = flat[i + 2]!;
      content.sectionEnd = flat[i + 3]!;
      content.bodyStart = flat[i + 4]!;
      content.bodyEnd = flat[i + 5]!;
      writeDelivery(output, prefix, ++tag, false, content);
    }
    output.flush();
    return sent;
  };
}

function confirms(): () => number {
  let sent = 0;
  const output = new Output(pool, { writeShared: (_buffer, start, end) => (sent += end - start) });
  return () => {
    for (let i = 0; i < MESSAGES; i++) writeAck(output, 1, i, true);
    output.flush();
    return sent;
  };
}

const small = publishes(100);
const ackBytes = acks();
const CASES: readonly Case[] = [
  { name: 'scan', unit: 'frames', run: () => scanOnly(small), perRun: 3 * MESSAGES },
  { name: 'publish', unit: 'messages', run: () => parsePublishes(small), perRun: MESSAGES },
  {
    name: 'publish-object',
    unit: 'methods',
    run: () => readPublishObjects(small),
    perRun: MESSAGES,
  },
  { name: 'ack', unit: 'methods', run: () => parseAcks(ackBytes), perRun: MESSAGES },
  { name: 'deliver-100', unit: 'messages', run: deliver(small), perRun: MESSAGES },
  { name: 'deliver-1000', unit: 'messages', run: deliver(publishes(1000)), perRun: MESSAGES },
  { name: 'confirm', unit: 'methods', run: confirms(), perRun: MESSAGES },
];

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, rounds: { type: 'string', default: '5' } },
});
const ROUND_MS = 300;
const samples = new Map<string, number[]>(CASES.map(({ name }) => [name, []]));
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const { name, run, perRun } of CASES) {
    if (!name.includes(values.only)) continue;
    const started = process.cpuUsage().user;
    const until = performance.now() + ROUND_MS;
    let operations = 0;
    while (performance.now() < until) {
      for (let i = 0; i < 20; i++) run();
      operations += 20 * perRun;
    }
    // The first round warms up. User time alone: other work on the machine does not count.
    if (round > 0) samples.get(name)?.push(operations / (process.cpuUsage().user - started));
  }
}
for (const { name, unit } of CASES) {
  const sorted = (samples.get(name) ?? []).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) continue;
  const nanoseconds = (1000 / median).toFixed(0);
  console.log(
    `${name.padEnd(16)} ${median.toFixed(2).padStart(7)} M ${unit} per CPU-s, ${nanoseconds} ns each`,
  );
}
