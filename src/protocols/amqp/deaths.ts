import type { Death } from '../../core/message/message.ts';
import type { FieldEntry, FieldTable, FieldValue } from './codec/field-table.ts';

/** Headers that the history takes the place of. */
export const DEATH_HEADERS: readonly string[] = [
  'x-death',
  'x-first-death-exchange',
  'x-first-death-queue',
  'x-first-death-reason',
];

const text = (value: string): FieldValue => ({ type: 'S', value });

/**
 * The history of a message as RabbitMQ 3.x writes it: newest first, and the first death again on its own. Of further keys
 * only those that the publisher showed are told, in `copies`: blind ones are nobody's business.
 */
export function deathHeaders(deaths: readonly Death[], copies: readonly string[]): FieldEntry[] {
  const first = deaths.at(-1);
  if (first === undefined) return [];
  return [
    { key: 'x-death', field: { type: 'A', value: deaths.map((death) => entry(death, copies)) } },
    { key: 'x-first-death-exchange', field: text(first.exchange) },
    { key: 'x-first-death-queue', field: text(first.queue) },
    { key: 'x-first-death-reason', field: text(first.reason) },
  ];
}

function entry(death: Death, copies: readonly string[]): FieldValue {
  const [key = '', ...further] = death.routingKeys;
  const shown = [key, ...further.filter((other) => copies.includes(other))];
  const table: FieldTable = [
    { key: 'count', field: { type: 'l', value: death.count } },
    { key: 'exchange', field: text(death.exchange) },
    { key: 'queue', field: text(death.queue) },
    { key: 'reason', field: text(death.reason) },
    { key: 'routing-keys', field: { type: 'A', value: shown.map(text) } },
    { key: 'time', field: { type: 'T', value: Math.floor(death.timeMs / 1000) } },
    ...(death.originalTtlMs === null
      ? []
      : [{ key: 'original-expiration', field: text(String(death.originalTtlMs)) }]),
  ];
  return { type: 'F', value: table };
}
