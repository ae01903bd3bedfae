import { setTimeout as sleep } from 'node:timers/promises';
import { LyrebirdError } from '../../../base/errors.ts';
import { RingBuffer } from '../../../base/ring-buffer.ts';
import { notAnswered } from '../../../net/dial.ts';
import { OutgoingContent } from '../codec/content-writer.ts';
import type { BasicReturn } from '../codec/generated/basic.ts';
import { METHODS } from '../codec/generated/methods.ts';
import type { AmqpChannel, ChannelListener } from './channel.ts';
import { notTaken, refused, replyCodeOf } from './client-error.ts';
import type { AmqpConnection } from './connection.ts';
import { basicProperties, type PlainHeader } from './properties.ts';
import { propertySection, publishFrame } from './publish-frame.ts';
import { describeTarget, type Target } from './target.ts';
import { requireTarget, selectConfirms } from './topology.ts';

export interface PublisherSettings {
  /** 0: no confirms; a message counts as published when it was written. */
  readonly acks: -1 | 0 | 1;
  /** Bytes appended and not confirmed above which append asks to wait. */
  readonly bufferBytes: number;
  /** By name, see properties.ts; a message's own win. */
  readonly properties: Readonly<Record<string, string>>;
  /** A message that reaches no queue is an error. Always so for a queue. */
  readonly mandatory: boolean;
  /** What is not confirmed is sent again after an outage of up to this time, perhaps twice; 0: never. */
  readonly retryMs: number;
  readonly onOutage: (outage: Error) => void;
  /** The broker takes nothing for a while, and why; null: it does again. */
  readonly onBlocked: (reason: string | null) => void;
}

export const PUBLISHER_DEFAULTS: PublisherSettings = {
  acks: -1,
  bufferBytes: 32 * 1024 * 1024,
  properties: {},
  mandatory: false,
  retryMs: 0,
  onOutage: () => {},
  onBlocked: () => {},
};

export interface PublishedMessage {
  /** Routing key, in place of the target's. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly PlainHeader[];
}

export interface Outcome {
  readonly partition: number;
  readonly baseOffset: number;
  readonly tokens: readonly number[];
  readonly error: Error | null;
}

interface Unconfirmed {
  readonly token: number;
  readonly routingKey: string;
  readonly section: Buffer;
  readonly body: Buffer;
  error: Error | null;
  settled: boolean;
}

const NO_BYTES: Buffer = Buffer.alloc(0);
/** What a message costs beside its body, about. */
const MESSAGE_OVERHEAD_BYTES = 200;
const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 3000;
/** Confirms that are awaited come at least this often. */
const CONFIRM_TIMEOUT_MS = 30_000;
const NO_HEADERS: readonly PlainHeader[] = [];

/** Publishes to one queue or exchange, with confirms; outcomes come by groups, without a promise per message. */
export class AmqpPublisher implements ChannelListener {
  /** AMQP has none. */
  readonly partitions: readonly { readonly index: number }[] = [];
  private readonly connect: () => Promise<AmqpConnection>;
  private readonly target: Target;
  private readonly settings: PublisherSettings;
  private readonly onOutcome: (outcome: Outcome) => void;
  private readonly content = new OutgoingContent();
  private readonly unconfirmed = new RingBuffer<Unconfirmed>(256);
  private connection: AmqpConnection | null = null;
  private channel: AmqpChannel | null = null;
  /** Delivery tag of the oldest unconfirmed message. */
  private firstTag = 1;
  private pendingBytes = 0;
  private lastHeaders: readonly PlainHeader[] | null = null;
  private lastSection = NO_BYTES;
  private lastKey: string | null = null;
  private lastFrame = NO_BYTES;
  private isRecovering = false;
  private isBlocked = false;
  private failure: Error | null = null;
  private lastProgressMs = performance.now();
  private waiters: (() => void)[] = [];

  constructor(
    connect: () => Promise<AmqpConnection>,
    target: Target,
    settings: PublisherSettings,
    onOutcome: (outcome: Outcome) => void,
  ) {
    this.connect = connect;
    this.target = target;
    this.settings = settings;
    this.onOutcome = onOutcome;
  }

  /** Connects, and finds out whether the target exists. */
  async start(): Promise<void> {
    const connection = await this.connect();
    await requireTarget(connection, this.target);
    await this.useConnection(connection);
  }

  get hasRoom(): boolean {
    if (this.failure !== null) return true; // append says so
    if (this.isRecovering || this.connection === null) return false;
    const flowing = this.channel?.flowing === true && this.connection.hasRoom;
    return flowing && this.pendingBytes < this.settings.bufferBytes;
  }

  get pendingRecords(): number {
    return this.unconfirmed.length;
  }

  append(message: PublishedMessage, _timestampMs: number, token: number): void {
    if (this.failure !== null) return this.tell([token], this.failure);
    const entry: Unconfirmed = {
      token,
      routingKey: this.routingKeyOf(message),
      section: this.sectionOf(message.headers ?? NO_HEADERS),
      body: message.value ?? NO_BYTES,
      error: null,
      settled: false,
    };
    if (this.settings.acks !== 0) {
      this.unconfirmed.push(entry);
      this.pendingBytes += sizeOf(entry);
    }
    if (!this.isRecovering) this.send(entry);
    if (this.settings.acks === 0) this.tell([token], null);
  }

  async room(): Promise<void> {
    while (!this.hasRoom) await this.change();
  }

  async flush(): Promise<void> {
    this.lastProgressMs = performance.now();
    const timer = setInterval(() => this.checkProgress(), 1000);
    try {
      while (this.unconfirmed.length > 0 && this.failure === null) await this.change();
      // Without confirms: an answered method behind the messages says that the broker has read them.
      if (this.settings.acks === 0 && this.failure === null) await this.roundTrip();
    } finally {
      clearInterval(timer);
    }
  }

  onDelivery(): void {}

  onCancel(): void {}

  onReturn({ replyCode, replyText, routingKey }: BasicReturn): void {
    // It comes before the confirm. Messages of the same key go the same way: the oldest it is.
    for (let index = 0; index < this.unconfirmed.length; index++) {
      const entry = this.unconfirmed.at(index);
      if (entry === undefined || entry.error !== null || entry.routingKey !== routingKey) continue;
      entry.error = refused(
        this.target.kind === 'queue'
          ? describeTarget(this.target)
          : `${describeTarget(this.target)}, routing key '${routingKey}'`,
        replyCode,
        `${replyText}: no queue took the message`,
      );
      return;
    }
  }

  onConfirm(deliveryTag: number, multiple: boolean, taken: boolean): void {
    this.lastProgressMs = performance.now();
    const count = Math.min(deliveryTag - this.firstTag + 1, this.unconfirmed.length);
    for (let index = multiple ? 0 : count - 1; index < count; index++) {
      const entry = this.unconfirmed.at(index);
      if (entry === undefined) continue;
      entry.settled = true;
      if (!taken) entry.error ??= notTaken(describeTarget(this.target));
    }
    this.tellSettled();
    this.wake();
  }

  onFlow(): void {
    const reason = this.connection?.blockedReason ?? null;
    if ((reason !== null) !== this.isBlocked) {
      this.isBlocked = reason !== null;
      this.lastProgressMs = performance.now();
      this.settings.onBlocked(reason);
    }
    this.wake();
  }

  onFailure(error: Error): void {
    const isOutage = error instanceof LyrebirdError && error.code !== 'LB6003';
    if (isOutage && this.settings.retryMs > 0 && this.settings.acks !== 0) {
      if (!this.isRecovering) void this.recover(error);
      return;
    }
    this.giveUp(error);
  }

  private async useConnection(connection: AmqpConnection): Promise<void> {
    const channel = await connection.openChannel();
    channel.subject = describeTarget(this.target);
    if (this.settings.acks !== 0) await selectConfirms(channel);
    channel.listener = this;
    connection.onFlow = () => this.onFlow();
    this.connection = connection;
    this.channel = channel;
    this.lastKey = null;
    this.firstTag = 1;
  }

  private send(entry: Unconfirmed): void {
    const { channel, content, target } = this;
    if (channel === null) return;
    if (entry.routingKey !== this.lastKey) {
      this.lastKey = entry.routingKey;
      this.lastFrame = publishFrame(channel.number, {
        exchange: target.kind === 'queue' ? '' : target.exchange,
        routingKey: entry.routingKey,
        mandatory: target.kind === 'queue' || this.settings.mandatory,
      });
    }
    content.section = entry.section;
    content.sectionEnd = entry.section.length;
    content.body = entry.body;
    content.bodyEnd = entry.body.length;
    channel.publish(this.lastFrame, content);
  }

  private routingKeyOf(message: PublishedMessage): string {
    if (this.target.kind === 'queue') return this.target.queue;
    return message.key === null ? this.target.routingKey : message.key.toString();
  }

  private sectionOf(headers: readonly PlainHeader[]): Buffer {
    if (headers !== this.lastHeaders) {
      this.lastHeaders = headers;
      this.lastSection = propertySection(basicProperties(this.settings.properties, headers));
    }
    return this.lastSection;
  }

  /** Tells the outcome of the oldest messages, as far as each is known. */
  private tellSettled(): void {
    let tokens: number[] = [];
    for (let entry = this.unconfirmed.peek(); entry?.settled === true;) {
      this.unconfirmed.shift();
      this.firstTag++;
      this.pendingBytes -= sizeOf(entry);
      if (entry.error === null) {
        tokens.push(entry.token);
      } else {
        if (tokens.length > 0) this.tell(tokens, null);
        tokens = [];
        this.tell([entry.token], entry.error);
      }
      entry = this.unconfirmed.peek();
    }
    if (tokens.length > 0) this.tell(tokens, null);
  }

  private tell(tokens: readonly number[], error: Error | null): void {
    this.onOutcome({ partition: -1, baseOffset: -1, tokens, error });
  }

  /** Connects again and sends what is not confirmed. */
  private async recover(outage: Error): Promise<void> {
    this.isRecovering = true;
    this.settings.onOutage(outage);
    const deadlineMs = performance.now() + this.settings.retryMs;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
      await sleep(Math.min(delayMs, Math.max(0, deadlineMs - performance.now())));
      try {
        await this.useConnection(await this.connect());
        break;
      } catch (error) {
        const isFinal = replyCodeOf(error) !== null || performance.now() >= deadlineMs;
        if (isFinal) return this.giveUp(error as Error);
      }
    }
    this.isRecovering = false;
    this.lastProgressMs = performance.now();
    for (let index = 0; index < this.unconfirmed.length; index++) {
      const entry = this.unconfirmed.at(index);
      if (entry === undefined) continue;
      // Confirmed out of turn before the outage: it keeps its place and does no harm a second time.
      entry.error = null;
      entry.settled = false;
      this.send(entry);
    }
    this.wake();
  }

  private giveUp(error: Error): void {
    if (this.failure !== null) return;
    this.failure = error;
    this.isRecovering = false;
    const tokens: number[] = [];
    for (let entry = this.unconfirmed.shift(); entry; entry = this.unconfirmed.shift()) {
      tokens.push(entry.token);
    }
    this.pendingBytes = 0;
    if (tokens.length > 0) this.tell(tokens, error);
    this.wake();
  }

  private checkProgress(): void {
    const isWaiting = this.unconfirmed.length > 0 && !this.isRecovering && !this.isBlocked;
    if (!isWaiting || performance.now() - this.lastProgressMs < CONFIRM_TIMEOUT_MS) return;
    this.giveUp(notAnswered('publishes', this.connection?.address ?? 'the broker'));
  }

  private async roundTrip(): Promise<void> {
    const { ChannelFlow, ChannelFlowOk } = METHODS;
    await this.channel?.call(ChannelFlow, { active: true }, ChannelFlowOk, 'channel.flow');
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private wake(): void {
    if (this.waiters.length === 0) return;
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}

function sizeOf(entry: Unconfirmed): number {
  return entry.body.length + entry.section.length + MESSAGE_OVERHEAD_BYTES;
}
