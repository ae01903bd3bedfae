import type { Death, DeathReason, Message } from '../message/message.ts';
import type { QueueView } from '../queue-types.ts';

/** What is remembered of the way of a message: longer histories lose their oldest part. */
const DEATHS_MAX = 100;

/** Makes message the dead letter of a queue: its history, where it goes, and no time to live of its own any more. */
export function becomeDeadLetter(
  message: Message,
  queue: QueueView,
  reason: DeathReason,
  nowMs: number,
): void {
  const { exchange, routingKey, furtherKeys } = message;
  const { deadLetterExchange, deadLetterRoutingKey } = queue.settings;
  const history = message.deaths ?? [];
  const before = history.find((death) => death.queue === queue.name && death.reason === reason);
  const own: Death = {
    queue: queue.name,
    reason,
    count: (before?.count ?? 0) + 1,
    timeMs: before?.timeMs ?? nowMs,
    exchange: before?.exchange ?? exchange,
    routingKeys: before?.routingKeys ?? [routingKey, ...(furtherKeys ?? [])],
    originalTtlMs: message.ttlMs >= 0 ? message.ttlMs : (before?.originalTtlMs ?? null),
  };
  message.deaths = [own, ...history.filter((death) => death !== before)].slice(0, DEATHS_MAX);
  message.exchange = deadLetterExchange ?? '';
  if (deadLetterRoutingKey !== null) {
    message.routingKey = deadLetterRoutingKey;
    message.furtherKeys = null;
  }
  message.ttlMs = -1;
  message.delayMs = -1;
}

/**
 * True when a dead letter must not go to the queue: it has been there, and since then nobody rejected it, so that it would
 * come round for ever.
 */
export function isCycle(deaths: readonly Death[], queueName: string): boolean {
  for (const death of deaths) {
    if (death.reason === 'rejected') return false;
    if (death.queue === queueName) return true;
  }
  return false;
}
