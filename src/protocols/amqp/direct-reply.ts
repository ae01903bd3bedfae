import type { Message } from '../../core/message/message.ts';
import type { AmqpChannel } from './channel.ts';
import { DeliverPrefix, writeDelivery } from './codec/content-writer.ts';
import { fillContent } from './outgoing.ts';

export const REPLY_TO_QUEUE = 'amq.rabbitmq.reply-to';
const PREFIX = `${REPLY_TO_QUEUE}.`;
const SECRET_BYTES = 18;

/** Requesters that wait for replies without a queue of their own, by the address that their requests carry. */
export class DirectReplies {
  private readonly targets = new Map<string, ReplyTarget>();

  register(channel: AmqpChannel, tag: string): ReplyTarget {
    // Nobody can guess it: only who got a request can answer it.
    const address =
      PREFIX + channel.services.broker.random.bytes(SECRET_BYTES).toString('base64url');
    const target = new ReplyTarget(this, channel, { address, tag });
    this.targets.set(address, target);
    return target;
  }

  remove(address: string): void {
    this.targets.delete(address);
  }

  /** Whether a name is, or was, such an address. */
  isAddress(name: string): boolean {
    return name.startsWith(PREFIX);
  }

  find(address: string): ReplyTarget | null {
    return this.targets.get(address) ?? null;
  }
}

/** A consumer of replies. No queue stands behind it: a reply that nobody waits for is lost. */
export class ReplyTarget {
  readonly address: string;
  readonly tag: string;
  private readonly registry: DirectReplies;
  private readonly channel: AmqpChannel;
  private readonly prefix: DeliverPrefix;

  constructor(
    registry: DirectReplies,
    channel: AmqpChannel,
    names: { readonly address: string; readonly tag: string },
  ) {
    this.registry = registry;
    this.channel = channel;
    this.address = names.address;
    this.tag = names.tag;
    this.prefix = new DeliverPrefix(channel.number, names.tag);
  }

  takeReply(message: Message): void {
    const { channel } = this;
    const { services } = channel;
    const content = fillContent(services, message, services.scratch.content, null);
    const tag = channel.unsettled.skip();
    services.counters.deliveredNoAck++;
    writeDelivery(channel.connection.startOutput(), this.prefix, tag, false, content);
  }

  cancel(): void {
    this.registry.remove(this.address);
  }
}
