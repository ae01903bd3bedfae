import type { Settlement } from '../../../core/queue-types.ts';
import type { AmqpChannel } from '../channel.ts';
import { BASIC_ACK, BASIC_NACK } from '../codec/generated/basic.ts';
import { preconditionFailed } from '../errors.ts';

/** basic.ack, basic.nack and basic.reject, arguments [from, to). */
export function settleMethod(
  channel: AmqpChannel,
  id: number,
  buffer: Buffer,
  from: number,
  to: number,
): void {
  const { settle } = channel.services.scratch;
  let settlement: Settlement = 'accept';
  if (id === BASIC_ACK) {
    settle.parseAck(buffer, from, to);
  } else {
    if (id === BASIC_NACK) settle.parseNack(buffer, from, to);
    else settle.parseReject(buffer, from, to);
    settlement = settle.requeue ? 'return' : 'reject';
  }
  const { deliveryTag: tag, multiple } = settle;
  const { transaction, unsettled } = channel;
  if (transaction === null) {
    const before = unsettled.size;
    channel.settle(tag, multiple, settlement);
    if (settlement === 'accept') channel.services.counters.acknowledged += before - unsettled.size;
    return;
  }
  if (!(multiple && tag === 0) && !unsettled.has(tag)) {
    throw preconditionFailed(`unknown delivery tag ${tag}`);
  }
  transaction.settle(unsettled, tag, multiple, settlement);
}
