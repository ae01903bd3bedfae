import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createDeferred } from './deferred.ts';
import { TaskGroup } from './task-group.ts';

describe('TaskGroup', () => {
  it('tells of failures and goes on', async () => {
    const failures: string[] = [];
    const group = new TaskGroup((name, error) => failures.push(`${name}: ${String(error)}`));
    group.run('bad', () => Promise.reject(new Error('on purpose')));
    group.run('thrower', () => {
      throw new Error('at once');
    });
    group.run('good', () => Promise.resolve());
    await setImmediate();
    assert.deepEqual(failures, ['thrower: Error: at once', 'bad: Error: on purpose']);
    await group.close();
    assert.equal(group.size, 0);
  });

  it('waits at close for what runs, and starts nothing more', async () => {
    const group = new TaskGroup(() => assert.fail('no failure'));
    const work = createDeferred<void>();
    let stopped = false;
    assert.equal(
      group.run('slow', async (signal) => {
        await work.promise;
        stopped = signal.aborted;
        throw new Error('because it was stopped');
      }),
      true,
    );
    const closed = group.close();
    assert.equal(
      group.run('late', () => assert.fail('started')),
      false,
    );
    work.resolve();
    await closed;
    assert.equal(stopped, true);
  });
});
