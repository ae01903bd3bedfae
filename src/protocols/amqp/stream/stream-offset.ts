import { batchBaseOffset } from '../../../base/record-batch.ts';
import type { PartitionView } from '../../../core/types.ts';
import type { FieldValue } from '../codec/field-table.ts';
import { parseAge } from './stream-arguments.ts';

/** Where a consumer of a stream begins. */
export type StreamOffset =
  | { readonly kind: 'first' | 'last' | 'next' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly timeMs: number };

/** The argument x-stream-offset: without it, what comes from now on. Null: it is none of those that there are. */
export function parseStreamOffset(field: FieldValue | null, nowMs: number): StreamOffset | null {
  if (field === null) return { kind: 'next' };
  const { type, value } = field;
  if (typeof value === 'string') {
    if (value === 'first' || value === 'last' || value === 'next') return { kind: value };
    const ageMs = parseAge(value);
    return ageMs === null ? null : { kind: 'time', timeMs: nowMs - ageMs };
  }
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) return null;
  if (type === 'T') return { kind: 'time', timeMs: number * 1000 };
  return { kind: 'offset', offset: number };
}

/** The offset in one partition. What lies outside what is kept becomes its nearest end. */
export async function resolveStreamOffset(
  start: StreamOffset,
  partition: PartitionView,
): Promise<number> {
  switch (start.kind) {
    case 'first':
      return partition.logStart;
    case 'next':
      return partition.highWatermark;
    case 'offset':
      return Math.min(Math.max(start.offset, partition.logStart), partition.highWatermark);
    case 'last':
      return lastBatch(partition);
    default: {
      const found = await partition.offsetForTimestamp(start.timeMs);
      return found?.offset ?? partition.highWatermark;
    }
  }
}

/** Where the newest batch begins: what was written together is what a stream calls its last chunk. */
async function lastBatch(partition: PartitionView): Promise<number> {
  const last = partition.highWatermark - 1;
  if (last < partition.logStart) return partition.highWatermark;
  const options = { maxBytes: 1, atLeastOneBatch: true, isolation: 'committed' } as const;
  const result = await partition.read(last, options);
  const slice = result.status === 'ok' ? result.slices[0] : undefined;
  if (slice === undefined) return last;
  return Math.max(batchBaseOffset(slice.buffer, slice.start), partition.logStart);
}
