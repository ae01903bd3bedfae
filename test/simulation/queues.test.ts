import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueHistory } from './queue-history.ts';

const SEEDS = 40;

test(`queues keep their promises through ${SEEDS} seeds of crashes`, async () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const history = new QueueHistory(seed);
    await history.run();
    if (history.problem !== null) broken.push(`seed ${seed}: ${history.problem}`);
  }
  assert.deepEqual(broken, []);
});
