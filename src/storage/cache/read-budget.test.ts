import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReadBudget } from './read-budget.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('read budget', () => {
  it('lets reads wait in order until there is room', async () => {
    const budget = new ReadBudget(100);
    const begun: string[] = [];
    const read = async (name: string, bytes: number): Promise<void> => {
      await budget.begin(bytes);
      begun.push(name);
    };
    void read('a', 60);
    void read('b', 60);
    void read('small, but later', 10);
    await turn();
    assert.deepEqual(begun, ['a']);
    budget.end(60);
    await turn();
    assert.deepEqual(begun, ['a', 'b', 'small, but later']);
    assert.equal(budget.bytes, 70);
    assert.equal(budget.waits, 2);
  });

  it('counts blocks for as long as somebody holds them', async () => {
    const budget = new ReadBudget(100);
    assert.equal(budget.begin(40), null);
    budget.hold(40);
    budget.end(40);
    budget.hold(50);
    assert.equal(budget.begin(5), null);
    const waiting = budget.begin(20);
    assert.ok(waiting !== null);
    budget.letGo(50);
    await waiting;
    assert.equal(budget.bytes, 65);
  });

  it('lets one read go on whatever is held: its holder may wait for just that', () => {
    const budget = new ReadBudget(100);
    budget.hold(500);
    assert.equal(budget.begin(1000), null);
    assert.notEqual(budget.begin(1), null);
  });
});
