import type { Kafka } from 'kafkajs';

/** What the broker promised: for every partition, which number stands at which offset. */
export class AcknowledgedRecords {
  readonly partitions: number;
  private readonly byPartition: { offset: number; number: number; count: number }[][];
  private total = 0;

  constructor(partitions: number) {
    this.partitions = partitions;
    this.byPartition = Array.from({ length: partitions }, () => []);
  }

  get count(): number {
    return this.total;
  }

  add(partition: number, offset: number, number: number, count: number): void {
    this.byPartition[partition]?.push({ offset, number, count });
    this.total += count;
  }

  of(partition: number): readonly { offset: number; number: number; count: number }[] {
    return this.byPartition[partition] ?? [];
  }
}

/** Reads the whole topic and returns every broken promise. */
export async function verify(
  kafka: Kafka,
  topic: string,
  acknowledged: AcknowledgedRecords,
): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const stored = await readAll(
    kafka,
    topic,
    new Map(ends.map((end) => [end.partition, Number(end.high)])),
  );
  const problems: string[] = [];
  for (let partition = 0; partition < acknowledged.partitions; partition++) {
    const values = stored.get(partition) ?? new Map<number, number>();
    checkPresence(partition, values, acknowledged, problems);
    checkOrder(partition, values, problems);
  }
  return problems;
}

/** partition -> offset -> number */
async function readAll(
  kafka: Kafka,
  topic: string,
  ends: ReadonlyMap<number, number>,
): Promise<Map<number, Map<number, number>>> {
  const stored = new Map<number, Map<number, number>>();
  const consumer = kafka.consumer({ groupId: `verify-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  await new Promise<void>((resolve, reject) => {
    if (open.size === 0) resolve();
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          const values = stored.get(batch.partition) ?? new Map<number, number>();
          stored.set(batch.partition, values);
          for (const message of batch.messages) {
            const [partition, number] = (message.value?.toString() ?? '').split(':').map(Number);
            values.set(
              Number(message.offset),
              partition === batch.partition ? (number ?? NaN) : NaN,
            );
          }
          if (Number(batch.lastOffset()) >= (ends.get(batch.partition) ?? 0) - 1) {
            open.delete(batch.partition);
          }
          if (open.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return stored;
}

function checkPresence(
  partition: number,
  values: ReadonlyMap<number, number>,
  acknowledged: AcknowledgedRecords,
  problems: string[],
): void {
  for (const { offset, number, count } of acknowledged.of(partition)) {
    for (let i = 0; i < count; i++) {
      const found = values.get(offset + i);
      if (found === number + i) continue;
      const what = found === undefined ? 'nothing' : String(found);
      problems.push(
        `partition ${partition}: ${number + i} was acknowledged at ${offset + i}, read ${what}`,
      );
    }
  }
}

/** Numbers must be 0, 1, 2, ... in offset order: a gap is a loss, a step back a repetition or disorder. */
function checkOrder(
  partition: number,
  values: ReadonlyMap<number, number>,
  problems: string[],
): void {
  let expected = 0;
  for (const offset of [...values.keys()].sort((a, b) => a - b)) {
    const found = values.get(offset);
    if (found !== expected) {
      problems.push(
        `partition ${partition}: offset ${offset} holds ${found}, expected ${expected}`,
      );
      return;
    }
    expected++;
  }
}
