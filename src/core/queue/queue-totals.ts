import type { QueueTotals } from '../queue-types.ts';

export const newQueueTotals = (): QueueTotals => ({
  published: 0,
  deliveredAck: 0,
  deliveredNoAck: 0,
  gotAck: 0,
  gotNoAck: 0,
  gotEmpty: 0,
  redelivered: 0,
  acknowledged: 0,
  expired: 0,
  rejected: 0,
  droppedMaxLength: 0,
  deliveryLimited: 0,
  deduplicated: 0,
});
