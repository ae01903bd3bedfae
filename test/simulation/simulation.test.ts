import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canaryEngine, localEngine } from './factories.ts';
import { simulate } from './simulation.ts';

/** Bounded by seeds, not by time: what runs here is the same everywhere. `npm run simulate` runs more. */
const SEEDS = 60;
const CANARY_SEEDS_MAX = 40;

test(`${SEEDS} seeds of crashes and faults break no promise`, async () => {
  const broken: string[] = [];
  let [powerLosses, checkpoints] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation, counters } = await simulate(seed, localEngine);
    if (violation !== null) broken.push(`seed ${seed}: ${violation}`);
    powerLosses += counters['power losses'] ?? 0;
    checkpoints += counters['checkpoints'] ?? 0;
  }
  assert.deepEqual(broken, []);
  assert.ok(
    powerLosses > SEEDS && checkpoints > SEEDS,
    'the histories have crashes and checkpoints',
  );
});

test('an engine that acknowledges before fsync is found', async () => {
  for (let seed = 1; seed <= CANARY_SEEDS_MAX; seed++) {
    const { violation } = await simulate(seed, canaryEngine);
    if (violation?.includes('acknowledged') === true) return;
  }
  assert.fail(`${CANARY_SEEDS_MAX} seeds did not show that acknowledged data was lost`);
});

test('a seed tells the same history every time', async () => {
  const first = await simulate(7, localEngine, { trace: true });
  const second = await simulate(7, localEngine, { trace: true });
  assert.deepEqual(second.trace, first.trace);
  assert.equal(second.steps, first.steps);
});
