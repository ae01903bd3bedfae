import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MessageSizes } from './message-sizes.ts';

it('counts sizes up to each bound, the bound included', () => {
  const sizes = new MessageSizes();
  for (const bytes of [0, 100, 101, 1_000, 200_000_000]) sizes.record(bytes);
  const at = (name: string): number | undefined =>
    sizes.samples({}).find(({ labels, suffix }) => (labels['le'] ?? suffix) === name)?.value;
  assert.deepEqual([at('100'), at('1000'), at('100000000'), at('+Inf')], [2, 4, 4, 5]);
  assert.equal(at('_sum'), 200_001_201);
  assert.equal(at('_count'), 5);
});
