import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CORE_LIMITS, Limits } from './limits.ts';

describe('Limits', () => {
  it('have defaults and can be set by name', () => {
    const limits = new Limits({ 'topics.max': 5 });
    assert.equal(limits.get('topics'), 5);
    assert.equal(limits.get('partitions'), CORE_LIMITS.partitions.default);
    assert.equal(limits.list().find(({ name }) => name === 'topics.max')?.value, 5);
  });

  it('refuse names that do not exist and values that limit nothing', () => {
    assert.throws(() => new Limits({ 'topic.max': 5 }), RangeError);
    assert.throws(() => new Limits({ 'topics.max': 0 }), RangeError);
    assert.throws(() => new Limits({ 'topics.max': NaN }), RangeError);
  });

  it('are documented, and nothing else is', () => {
    const page = readFileSync(new URL('../../docs/reference/limits.md', import.meta.url), 'utf8');
    const core = page.split(/^## /m).find((section) => section.startsWith('Core\n')) ?? '';
    const documented = [...core.matchAll(/^\| `([a-z.-]+)` +\|/gm)].map(([, name]) => name);
    for (const limit of Object.values(CORE_LIMITS)) {
      assert(documented.includes(limit.name), `${limit.name} is documented`);
      assert(core.includes(limit.overflow), `the overflow of ${limit.name} is documented`);
    }
    assert.equal(documented.length, Object.keys(CORE_LIMITS).length);
  });
});
