import { computeBatchCrc, writeInt64 } from '../../src/base/record-batch.ts';
import { BatchBuilder } from '../../src/base/batch-builder.ts';

export interface BatchOptions {
  readonly keys?: boolean;
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly attributes?: number;
  readonly leaderEpoch?: number;
}

/** One record batch with the given values. */
export function makeBatch(values: readonly string[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder(1024);
  const timestampMs = options.timestampMs ?? Date.now();
  values.forEach((value, i) => {
    const key = options.keys === true ? Buffer.from(`k${i}`) : null;
    builder.append(key, Buffer.from(value), timestampMs + i);
  });
  const batch = Buffer.from(builder.finish());
  if (options.producerId !== undefined) writeInt64(batch, options.producerId, 43);
  if (options.producerEpoch !== undefined) batch.writeInt16BE(options.producerEpoch, 51);
  if (options.baseSequence !== undefined) batch.writeInt32BE(options.baseSequence, 53);
  if (options.attributes !== undefined) batch.writeInt16BE(options.attributes, 21);
  if (options.leaderEpoch !== undefined) batch.writeInt32BE(options.leaderEpoch, 12);
  batch.writeUInt32BE(computeBatchCrc(batch, 0, batch.length), 17);
  return batch;
}
