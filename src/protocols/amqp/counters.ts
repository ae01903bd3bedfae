import { MessageSizes } from './message-sizes.ts';

/** Counted since the start; plain fields, read at scrape time. */
export class AmqpCounters {
  connectionsOpened = 0;
  connectionsClosed = 0;
  channelsOpened = 0;
  channelsClosed = 0;
  /** Of any protocol. */
  queuesCreated = 0;
  queuesDeleted = 0;
  /** Declarations, of new queues and of those that were there. */
  queuesDeclared = 0;
  published = 0;
  /** Of what was published. */
  readonly sizes = new MessageSizes();
  publishedConfirm = 0;
  confirmed = 0;
  returned = 0;
  unroutable = 0;
  delivered = 0;
  deliveredNoAck = 0;
  got = 0;
  gotNoAck = 0;
  gotEmpty = 0;
  acknowledged = 0;
  redelivered = 0;
}
