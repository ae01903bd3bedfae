import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, GroupHarness, NAMESPACE } from '../../../test/support/group-harness.ts';

const STATIC = { instanceId: 'one', requireKnownMemberId: true };

describe('a static member', () => {
  it('needs no second join and has its instance id in its member id', async () => {
    const harness = await GroupHarness.ready();
    const joined = harness.join(STATIC);
    assert.equal(joined.value?.error, 'none');
    assert.match(joined.value?.memberId ?? '', /^one-/);
    assert.equal(joined.value?.members[0]?.instanceId, 'one');
  });

  it('that comes back keeps generation and assignment, and fences its former self', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([STATIC, {}]);
    const former = ids[0] ?? '';
    harness.engine.hold();
    const back = harness.join(STATIC);
    assert.equal(back.count, 0);
    harness.engine.release();
    const memberId = back.value?.memberId ?? '';
    assert.notEqual(memberId, former);
    assert.equal(back.value?.generation, 2);
    assert.equal(back.value?.leaderId, memberId);
    assert.equal(back.value?.skipAssignment, true);
    assert.equal(back.value?.members.length, 2);
    assert.equal(harness.state(), 'stable');
    const synced = harness.sync({ memberId, instanceId: 'one', generation: 2 });
    assert.equal(synced.value?.assignment.toString(), `for ${former}`);
    const old = { groupId: GROUP, memberId: former, instanceId: 'one', generation: 2 };
    assert.equal(harness.coordinator.heartbeat(NAMESPACE, old), 'fenced-instance');
    assert.equal(harness.heartbeat(former, 2), 'unknown-member');
    const oldJoin = harness.join({ ...STATIC, memberId: former });
    assert.equal(oldJoin.value?.error, 'fenced-instance');
    const oldSync = harness.sync({ ...old });
    assert.equal(oldSync.value?.error, 'fenced-instance');
  });

  it('that leads and cannot skip the assignment is told that somebody else leads', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([STATIC]);
    const back = harness.join({ ...STATIC, supportsSkipAssignment: false });
    harness.clock.advance(0);
    assert.equal(back.value?.leaderId, ids[0]);
    assert.equal(back.value?.members.length, 0);
    assert.equal(back.value?.skipAssignment, false);
  });

  it('that comes back with another protocol makes the group rebalance', async () => {
    const harness = await GroupHarness.ready();
    const protocols = (...names: string[]) =>
      names.map((name) => ({ name, metadata: Buffer.from(name) }));
    harness.stabilize([{ ...STATIC, protocols: protocols('a', 'b') }]);
    const back = harness.join({ ...STATIC, protocols: protocols('b', 'a') });
    assert.equal(back.value?.generation, 2);
    assert.equal(back.value?.protocolName, 'b');
  });

  it('that comes back during a rebalance takes part in it, its former join is fenced', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([STATIC, {}]);
    const parked = harness.join({ ...STATIC, memberId: ids[0] ?? '' });
    assert.equal(harness.state(), 'preparing-rebalance');
    const back = harness.join(STATIC);
    assert.equal(parked.value?.error, 'fenced-instance');
    assert.equal(back.count, 0);
    harness.join({ memberId: ids[1] ?? '' });
    assert.equal(back.value?.generation, 3);
  });

  it('that comes back before the assignment makes the group rebalance', async () => {
    const harness = await GroupHarness.ready();
    const first = harness.join(STATIC);
    const waiting = harness.sync({
      memberId: first.value?.memberId ?? '',
      instanceId: 'one',
      generation: 1,
    });
    const back = harness.join(STATIC);
    assert.equal(waiting.value?.error, 'fenced-instance');
    assert.equal(back.value?.generation, 2);
  });

  it('that comes back while a rebalance begins is answered by that one', async () => {
    const harness = await GroupHarness.ready();
    harness.stabilize([STATIC]);
    harness.engine.hold();
    const back = harness.join(STATIC);
    const newcomer = harness.join();
    assert.equal(back.value?.generation, 2);
    assert.equal(newcomer.value?.generation, 2);
    harness.engine.release();
    assert.equal(back.count, 1);
  });

  it('that stays away holds its place through rebalances until its session ends', async () => {
    const harness = await GroupHarness.ready();
    harness.stabilize([{ ...STATIC, sessionTimeoutMs: 100_000 }, {}]);
    const newcomer = harness.join();
    harness.clock.advance(30_000);
    assert.equal(newcomer.value?.generation, 3);
    assert.equal(newcomer.value?.members.length, 2);
  });

  it('alone and away does not end the group before its session does', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([
      { ...STATIC, sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 1_000 },
      { rebalanceTimeoutMs: 1_000 },
    ]);
    harness.leave(ids[1] ?? '');
    harness.clock.advance(50_000);
    assert.equal(harness.state(), 'preparing-rebalance');
    harness.clock.advance(50_000);
    assert.equal(harness.state(), 'empty');
  });

  it('is removed by an administrator by its instance id alone', async () => {
    const harness = await GroupHarness.ready();
    harness.stabilize([STATIC, { instanceId: 'two' }]);
    const { members } = harness.coordinator.leave(NAMESPACE, GROUP, [
      { memberId: '', instanceId: 'one', reason: 'moved' },
      { memberId: '', instanceId: 'three', reason: null },
      { memberId: '', instanceId: null, reason: null },
      { memberId: 'x', instanceId: 'two', reason: null },
    ]);
    assert.deepEqual(members, ['none', 'unknown-member', 'unknown-member', 'fenced-instance']);
  });

  it('comes back after a restart of the broker as if nothing had been', async () => {
    const before = await GroupHarness.ready();
    const { ids } = before.stabilize([STATIC, {}]);
    before.clock.advance(0);
    const after = before.restart();
    assert.equal(after.state(), 'stable');
    const back = after.join(STATIC);
    after.clock.advance(0);
    assert.equal(back.value?.generation, 2);
    const memberId = back.value?.memberId ?? '';
    const synced = after.sync({ memberId, instanceId: 'one', generation: 2 });
    assert.equal(synced.value?.assignment.toString(), `for ${ids[0]}`);
    // The new id is durable, too.
    const again = after.restart();
    assert.equal(again.heartbeat(memberId, 2), 'none');
  });
});
