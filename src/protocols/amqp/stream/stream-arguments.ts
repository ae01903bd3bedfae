import type { Arguments, ArgumentValue } from '../../../core/queue-types.ts';
import type { TopicConfig, TopicView } from '../../../core/types.ts';
import type { AmqpConfig } from '../config.ts';

/** Where the arguments of the declaration are kept among a topic's overrides, as JSON. */
const ARGUMENTS_OVERRIDE = 'amqp.arguments';
/** RabbitMQ's size of a segment file. */
const SEGMENT_BYTES = 500_000_000;
/** A record is longer than the body of its message by properties and headers. */
const RECORD_OVERHEAD_BYTES = 1024 * 1024;
const TIMESTAMP_AFTER_MAX_MS = 3_600_000;

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = {
  Y: 365 * DAY_MS,
  M: 30 * DAY_MS,
  D: DAY_MS,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
};

/** What a stream is made with. */
export interface StreamSettings {
  readonly config: TopicConfig;
  readonly overrides: Readonly<Record<string, string>>;
}

/** An argument in which a declaration and what exists differ; values as text. */
export interface StreamDifference {
  readonly property: string;
  readonly received: string;
  readonly current: string;
}

/** A time as streams tell it, `7D` or `30m`, in ms; null: it is none. */
export function parseAge(text: string): number | null {
  const match = /^(\d{1,9})([YMDhms])$/.exec(text);
  if (match === null) return null;
  return Number(match[1]) * (UNITS_MS[match[2] ?? ''] ?? 0);
}

/** What is wrong with the arguments of a stream, or null. Names are core's. */
export function findStreamDefect(
  values: Arguments,
): { readonly argument: string; readonly message: string } | null {
  const age = values['max-age'];
  if (age !== undefined && (typeof age !== 'string' || parseAge(age) === null)) {
    return { argument: 'x-max-age', message: 'invalid_max_age' };
  }
  for (const name of ['max-length-bytes', 'stream-max-segment-size-bytes']) {
    const value = values[name];
    if (value === undefined) continue;
    const valid = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    if (!valid)
      return { argument: `x-${name}`, message: `{value_invalid,${JSON.stringify(value)}}` };
  }
  return null;
}

/**
 * How the topic of a stream is kept. Beside the arguments themselves its overrides have the settings by the names that
 * Kafka tools know: these show them, and keep them when they change others.
 */
export function streamSettings(values: Arguments, amqp: AmqpConfig): StreamSettings {
  const age = values['max-age'];
  const retentionMs = (typeof age === 'string' ? parseAge(age) : null) ?? Infinity;
  const retentionBytes = numberOr(values['max-length-bytes'], Infinity);
  const segmentBytes = numberOr(values['stream-max-segment-size-bytes'], SEGMENT_BYTES);
  const maxMessageBytes = amqp.messageBytesMax + RECORD_OVERHEAD_BYTES;
  return {
    config: {
      durability: amqp.streamDurability,
      retentionMs,
      retentionBytes,
      segmentBytes,
      maxMessageBytes,
      timestampType: 'create',
      timestampBeforeMaxMs: Infinity,
      timestampAfterMaxMs: TIMESTAMP_AFTER_MAX_MS,
      requireKey: false,
    },
    overrides: {
      [ARGUMENTS_OVERRIDE]: JSON.stringify(values),
      'retention.ms': limitText(retentionMs),
      'retention.bytes': limitText(retentionBytes),
      'segment.bytes': String(segmentBytes),
      'max.message.bytes': String(maxMessageBytes),
    },
  };
}

/** The arguments that the stream was declared with; null: the topic was not made as one. */
export function streamArguments(topic: TopicView): Arguments | null {
  const text = topic.overrides[ARGUMENTS_OVERRIDE];
  if (text === undefined) return null;
  try {
    const values: unknown = JSON.parse(text);
    return typeof values === 'object' && values !== null ? (values as Arguments) : null;
  } catch {
    return null;
  }
}

/**
 * The first argument in which a declaration differs from a topic, or null. A topic that was not made as a stream must
 * only not contradict what the declaration asks for.
 */
export function findStreamDifference(
  values: Arguments,
  topic: TopicView,
  amqp: AmqpConfig,
): StreamDifference | null {
  const current = streamArguments(topic) ?? impliedArguments(values, topic, amqp);
  for (const name of new Set([...Object.keys(current), ...Object.keys(values)])) {
    const received = argumentText(values[name]);
    const existing = argumentText(current[name]);
    if (received !== existing) return { property: `x-${name}`, received, current: existing };
  }
  return null;
}

/** What a topic is, in the words of the arguments that are asked about. */
function impliedArguments(values: Arguments, topic: TopicView, amqp: AmqpConfig): Arguments {
  const implied: Record<string, ArgumentValue> = { ...values };
  const wanted = streamSettings(values, amqp).config;
  const { retentionMs, retentionBytes, segmentBytes } = topic.config;
  if (values['max-age'] !== undefined && wanted.retentionMs !== retentionMs) {
    implied['max-age'] = `${Math.floor(retentionMs / 1000)}s`;
  }
  if (values['max-length-bytes'] !== undefined && wanted.retentionBytes !== retentionBytes) {
    implied['max-length-bytes'] = retentionBytes;
  }
  const segments = 'stream-max-segment-size-bytes';
  if (values[segments] !== undefined && wanted.segmentBytes !== segmentBytes) {
    implied[segments] = segmentBytes;
  }
  return implied;
}

/** A value as text, for comparing and telling. */
export function argumentText(value: ArgumentValue | undefined): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function numberOr(value: ArgumentValue | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function limitText(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : '-1';
}
