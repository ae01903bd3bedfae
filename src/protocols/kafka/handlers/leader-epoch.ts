import { KAFKA_ERROR } from '../errors.ts';
import type { KafkaErrorCode } from '../errors.ts';

/** Compares the epoch that a client knows (-1: it does not say) with the partition's. */
export function epochError(known: number, current: number): KafkaErrorCode {
  if (known < 0 || known === current) return KAFKA_ERROR.NONE;
  return known < current ? KAFKA_ERROR.FENCED_LEADER_EPOCH : KAFKA_ERROR.UNKNOWN_LEADER_EPOCH;
}
