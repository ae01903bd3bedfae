import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupHarness, NAMESPACE, settled } from '../../../test/support/group-harness.ts';

describe('the logs of a namespace', () => {
  it('are made once, for the first who asks, in order', async () => {
    const harness = new GroupHarness();
    const first = harness.join();
    const second = harness.join({ groupId: 'second' });
    const answered: string[] = [];
    harness.coordinator.commitOffsets(
      NAMESPACE,
      { groupId: 'third', memberId: '', instanceId: null, generation: -1 },
      [],
      () => answered.push('third'),
    );
    await settled();
    assert.equal(first.value?.error, 'none');
    assert.equal(second.value?.error, 'none');
    assert.deepEqual(answered, ['third']);
    assert.equal(harness.engine.stored.logs.size, 16);
    assert.equal(harness.engine.stored.meta.size, 1);
  });

  it('are made anew after a failure', async () => {
    const harness = new GroupHarness();
    const failing = harness.join();
    harness.engine.fail();
    await settled();
    assert.equal(failing.value?.error, 'coordinator-unavailable');
    const again = harness.join();
    await settled();
    assert.equal(again.value?.error, 'coordinator-unavailable');
  });

  it('let only so many wait for them', async () => {
    const harness = new GroupHarness({ options: { pendingRequestsMax: 2 } });
    const waiting = [harness.join(), harness.join(), harness.join()];
    assert.deepEqual(
      waiting.map(({ value }) => value?.error),
      [undefined, undefined, 'coordinator-unavailable'],
    );
    harness.coordinator.close();
  });

  it('keep namespaces apart', async () => {
    const harness = await GroupHarness.ready();
    harness.stabilize([{}]);
    assert.equal(harness.coordinator.list('other').length, 0);
    assert.equal(harness.coordinator.describe('other', 'group'), null);
    const member = { groupId: 'group', memberId: 'm', instanceId: null, generation: 1 };
    assert.equal(harness.coordinator.heartbeat('other', member), 'unknown-member');
  });

  it('are found again by name after a restart, whatever the namespace is called', async () => {
    const harness = await GroupHarness.ready();
    const namespace = 'a/b %20 ü';
    const commit = (to: GroupHarness) =>
      to.coordinator.commitOffsets(
        namespace,
        { groupId: 'g', memberId: '', instanceId: null, generation: -1 },
        [
          {
            topic: 'orders',
            topicId: to.topics.add('orders'),
            partition: 0,
            offset: 4,
            leaderEpoch: -1,
            metadata: '',
          },
        ],
        () => {},
      );
    commit(harness);
    await settled();
    harness.clock.advance(0);
    const after = harness.restart();
    assert.equal(after.coordinator.committedOffset(namespace, 'g', 'orders', 0)?.offset, 4);
    assert.equal(after.engine.stored.logs.size, 32);
  });
});

describe('group metrics', () => {
  it('count what happened', async () => {
    const harness = await GroupHarness.ready();
    harness.topics.add('orders');
    const { ids, generation } = harness.stabilize([{}, {}]);
    harness.commit([{ offset: 1 }, { partition: 1 }], { memberId: ids[0] ?? '', generation });
    harness.clock.advance(10_000);
    const values = Object.fromEntries(
      [...harness.coordinator.metrics()].map(({ name, samples }) => [name, samples[0]?.value]),
    );
    assert.deepEqual(values, {
      lyrebird_group_members: 0,
      lyrebird_group_rebalances_total: 1,
      lyrebird_group_evictions_total: 2,
      lyrebird_group_offset_commits_total: 2,
      lyrebird_group_offset_expirations_total: 0,
      lyrebird_group_offset_deletions_total: 0,
    });
  });
});
