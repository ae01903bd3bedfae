import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, GroupHarness, NAMESPACE } from '../../../test/support/group-harness.ts';
import type { GroupError, JoinRequest, SyncRequest } from '../group-types.ts';

const range = (text: string) => [{ name: 'range', metadata: Buffer.from(text) }];

describe('a first member', () => {
  it('forms a generation at once and leads it', async () => {
    const harness = await GroupHarness.ready();
    const joined = harness.join();
    assert.equal(joined.value?.error, 'none');
    assert.equal(joined.value?.generation, 1);
    assert.equal(joined.value?.leaderId, joined.value?.memberId);
    assert.match(joined.value?.memberId ?? '', /^client-[0-9a-f]{8}-[0-9a-f]{4}-4/);
    assert.equal(joined.value?.protocolName, 'range');
    assert.deepEqual(
      joined.value?.members.map(({ memberId, metadata }) => [memberId, metadata.toString()]),
      [[joined.value?.memberId, 'meta']],
    );
    assert.equal(harness.state(), 'completing-rebalance');
  });

  it('gets its assignment when the leader sent it and it is durable', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join().value?.memberId ?? '';
    harness.engine.hold();
    const synced = harness.sync({
      memberId,
      generation: 1,
      assignments: [{ memberId, assignment: Buffer.from('all') }],
    });
    harness.clock.advance(10);
    assert.equal(synced.count, 0);
    assert.equal(harness.state(), 'completing-rebalance');
    harness.engine.commit();
    assert.equal(synced.value?.error, 'none');
    assert.equal(synced.value?.assignment.toString(), 'all');
    assert.equal(harness.state(), 'stable');
  });

  it('is first told its id when the protocol wants that', async () => {
    const harness = await GroupHarness.ready();
    const first = harness.join({ requireKnownMemberId: true });
    assert.equal(first.value?.error, 'member-id-required');
    assert.equal(harness.state(), 'empty');
    const memberId = first.value?.memberId ?? '';
    const second = harness.join({ requireKnownMemberId: true, memberId });
    assert.equal(second.value?.error, 'none');
    assert.equal(second.value?.memberId, memberId);
    assert.equal(second.value?.generation, 1);
  });

  it('is forgotten when it never uses the id it was given', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join({ requireKnownMemberId: true }).value?.memberId ?? '';
    harness.clock.advance(10_000);
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
    assert.equal(harness.join({ memberId }).value?.error, 'unknown-member');
  });

  it('waits shortly for one that was just told its id', async () => {
    const harness = await GroupHarness.ready();
    const idOf = () => harness.join({ requireKnownMemberId: true }).value?.memberId ?? '';
    const [memberId, otherId, vanishedId] = [idOf(), idOf(), idOf()];
    const first = harness.join({ memberId });
    const second = harness.join({ memberId: otherId });
    assert.deepEqual([first.count, second.count], [0, 0]);
    harness.clock.advance(250);
    assert.equal(first.value?.generation, 1);
    assert.equal(second.value?.generation, 1);
    assert.equal(first.value?.members.length, 2);
    harness.join({ memberId: vanishedId });
    assert.equal(harness.state(), 'preparing-rebalance');
  });

  it('waits for more when there is an initial delay, as long as they come', async () => {
    const harness = await GroupHarness.ready({ options: { initialRebalanceDelayMs: 1000 } });
    const first = harness.join();
    harness.clock.advance(900);
    const second = harness.join();
    harness.clock.advance(900);
    assert.equal(first.count, 0);
    harness.clock.advance(200);
    assert.equal(first.value?.generation, 1);
    assert.equal(second.value?.generation, 1);
    assert.equal(first.value?.members.length, 2);
  });
});

describe('refusals of join', () => {
  const cases: readonly [string, Partial<JoinRequest>, GroupError][] = [
    ['no group id', { groupId: '' }, 'invalid-group-id'],
    ['session too short', { sessionTimeoutMs: 999 }, 'invalid-session-timeout'],
    ['session too long', { sessionTimeoutMs: 1_800_001 }, 'invalid-session-timeout'],
    ['unknown member of an unknown group', { groupId: 'x', memberId: 'm' }, 'unknown-member'],
    ['unknown member', { memberId: 'm' }, 'unknown-member'],
    ['unknown static member', { memberId: 'm', instanceId: 'i' }, 'unknown-member'],
    ['no protocols', { protocols: [] }, 'inconsistent-protocol'],
    ['no protocol type', { protocolType: '' }, 'inconsistent-protocol'],
    ['other protocol type', { protocolType: 'connect' }, 'inconsistent-protocol'],
    [
      'no common protocol',
      { protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }] },
      'inconsistent-protocol',
    ],
    ['full', {}, 'group-full'],
  ];
  for (const [name, request, error] of cases) {
    it(`${name}: ${error}`, async () => {
      const options = error === 'group-full' ? { groupSizeMax: 1 } : {};
      const harness = await GroupHarness.ready({ options });
      harness.join();
      const reply = harness.join(request);
      assert.equal(reply.value?.error, error);
      assert.equal(reply.count, 1);
    });
  }

  it('no more groups than allowed', async () => {
    const harness = await GroupHarness.ready({ options: { groupsMax: 1 } });
    harness.join();
    assert.equal(harness.join({ groupId: 'other' }).value?.error, 'coordinator-unavailable');
  });
});

describe('a rebalance', () => {
  it('parks a new member until the others joined again', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}]);
    const newcomer = harness.join();
    assert.equal(harness.state(), 'preparing-rebalance');
    assert.equal(harness.heartbeat(ids[0] ?? '', 1), 'rebalance-in-progress');
    assert.equal(newcomer.count, 0);
    const again = harness.join({ memberId: ids[0] ?? '' });
    assert.equal(again.value?.generation, 2);
    assert.equal(newcomer.value?.generation, 2);
    assert.equal(again.value?.leaderId, ids[0]);
    assert.equal(again.value?.members.length, 2);
    assert.equal(newcomer.value?.members.length, 0);
  });

  it('goes on without those who did not join in time', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{ sessionTimeoutMs: 60_000 }]);
    const newcomer = harness.join();
    harness.clock.advance(29_999);
    assert.equal(newcomer.count, 0);
    harness.clock.advance(1);
    assert.equal(newcomer.value?.generation, 2);
    assert.equal(newcomer.value?.leaderId, newcomer.value?.memberId);
    assert.equal(harness.heartbeat(ids[0] ?? '', 2), 'unknown-member');
    assert.ok(
      harness.events.some((e) => e.type === 'member-evicted' && e.cause === 'not-rejoined'),
    );
  });

  it('drops a parked join that the client repeats, and answers the newest', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}, {}]);
    const first = harness.join({ memberId: ids[1] ?? '', protocols: range('changed') });
    const second = harness.join({ memberId: ids[1] ?? '', protocols: range('changed') });
    assert.equal(first.value?.error, 'rebalance-in-progress');
    harness.join({ memberId: ids[0] ?? '' });
    assert.equal(second.value?.error, 'none');
  });

  it('is begun by the leader joining again, not by a follower that changed nothing', async () => {
    const harness = await GroupHarness.ready();
    const { ids, leaderId, generation } = harness.stabilize([{}, {}]);
    const follower = ids.find((id) => id !== leaderId) ?? '';
    const unchanged = harness.join({ memberId: follower });
    assert.equal(unchanged.value?.generation, generation);
    assert.equal(unchanged.value?.members.length, 0);
    assert.equal(harness.state(), 'stable');
    harness.join({ memberId: leaderId });
    assert.equal(harness.state(), 'preparing-rebalance');
  });

  it('is begun by changed metadata of a follower', async () => {
    const harness = await GroupHarness.ready();
    const { ids, leaderId } = harness.stabilize([{}, {}]);
    const follower = ids.find((id) => id !== leaderId) ?? '';
    harness.join({ memberId: follower, protocols: range('other topics') });
    assert.equal(harness.state(), 'preparing-rebalance');
  });

  it('repeats the answer when a member joins again unchanged before the assignment', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join().value?.memberId ?? '';
    const again = harness.join({ memberId });
    assert.equal(again.value?.generation, 1);
    assert.equal(again.value?.members.length, 1);
  });

  it('starts over when a member changes its metadata before the assignment', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}]);
    const newcomer = harness.join();
    harness.join({ memberId: ids[0] ?? '' });
    const waiting = harness.sync({ memberId: newcomer.value?.memberId ?? '', generation: 2 });
    harness.join({ memberId: ids[0] ?? '', protocols: range('changed') });
    assert.equal(waiting.value?.error, 'rebalance-in-progress');
    assert.equal(harness.state(), 'preparing-rebalance');
  });

  it('chooses the protocol that most members prefer of those all know', async () => {
    const harness = await GroupHarness.ready();
    const offer = (...names: string[]) =>
      names.map((name) => ({ name, metadata: Buffer.from(name) }));
    const first = harness.join({ protocols: offer('a', 'b', 'c') });
    const second = harness.join({ protocols: offer('b', 'a') });
    const third = harness.join({ protocols: offer('b', 'c', 'a') });
    const memberId = first.value?.memberId ?? '';
    const again = harness.join({ memberId, protocols: offer('a', 'b', 'c') });
    for (const reply of [second, third, again]) assert.equal(reply.value?.protocolName, 'b');
    assert.deepEqual(
      again.value?.members.map(({ metadata }) => metadata.toString()),
      ['b', 'b', 'b'],
    );
  });

  it('leaves the leadership to another member when the leader is gone', async () => {
    const harness = await GroupHarness.ready();
    const { ids, leaderId } = harness.stabilize([{}, {}]);
    const follower = ids.find((id) => id !== leaderId) ?? '';
    assert.deepEqual(harness.leave(leaderId), ['none']);
    assert.equal(harness.heartbeat(follower, 2), 'rebalance-in-progress');
    const again = harness.join({ memberId: follower });
    assert.equal(again.value?.leaderId, follower);
    assert.equal(again.value?.members.length, 1);
  });

  it('evicts members that do not ask for their assignment', async () => {
    const harness = await GroupHarness.ready();
    const first = harness.join({ rebalanceTimeoutMs: 5_000 });
    harness.clock.advance(5_000);
    assert.equal(harness.state(), 'empty');
    assert.equal(first.count, 1);
    assert.ok(
      harness.events.some((e) => e.type === 'member-evicted' && e.cause === 'sync-timeout'),
    );
  });

  it('evicts late syncers of a stable group, too', async () => {
    const harness = await GroupHarness.ready();
    const first = harness.join({ sessionTimeoutMs: 60_000 });
    const second = harness.join({ sessionTimeoutMs: 60_000 });
    const leader = harness.join({ memberId: first.value?.memberId ?? '' });
    const memberId = leader.value?.memberId ?? '';
    harness.sync({ memberId, generation: 2 });
    harness.clock.advance(0);
    assert.equal(harness.state(), 'stable');
    harness.clock.advance(9_000);
    harness.heartbeat(memberId, 2);
    harness.clock.advance(9_000);
    harness.heartbeat(memberId, 2);
    harness.clock.advance(9_000);
    harness.heartbeat(memberId, 2);
    harness.clock.advance(3_000);
    assert.equal(harness.state(), 'preparing-rebalance');
    assert.equal(harness.heartbeat(second.value?.memberId ?? '', 2), 'unknown-member');
  });
});

describe('sync, heartbeat and leave', () => {
  const cases: readonly [string, Partial<SyncRequest>, GroupError][] = [
    ['unknown group', { groupId: 'x' }, 'unknown-member'],
    ['unknown member', { memberId: 'm' }, 'unknown-member'],
    ['older generation', { generation: 0 }, 'illegal-generation'],
    ['newer generation', { generation: 2 }, 'illegal-generation'],
    ['other protocol type', { protocolType: 'connect' }, 'inconsistent-protocol'],
    ['other protocol', { protocolName: 'sticky' }, 'inconsistent-protocol'],
    ['same protocol', { protocolType: 'consumer', protocolName: 'range' }, 'none'],
  ];
  for (const [name, request, error] of cases) {
    it(`sync, ${name}: ${error}`, async () => {
      const harness = await GroupHarness.ready();
      const { ids } = harness.stabilize([{}]);
      const reply = harness.sync({ memberId: ids[0] ?? '', generation: 1, ...request });
      assert.equal(reply.value?.error, error);
    });
  }

  it('sync during a rebalance says so', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}]);
    harness.join();
    const reply = harness.sync({ memberId: ids[0] ?? '', generation: 1 });
    assert.equal(reply.value?.error, 'rebalance-in-progress');
  });

  it('gives members the leader forgot an empty assignment', async () => {
    const harness = await GroupHarness.ready();
    const first = harness.join();
    const second = harness.join();
    harness.join({ memberId: first.value?.memberId ?? '' });
    const follower = harness.sync({ memberId: second.value?.memberId ?? '', generation: 2 });
    assert.equal(follower.count, 0);
    harness.sync({ memberId: first.value?.memberId ?? '', generation: 2 });
    harness.clock.advance(0);
    assert.equal(follower.value?.error, 'none');
    assert.equal(follower.value?.assignment.length, 0);
  });

  it('ignores a second assignment of the leader and answers the newest request', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join().value?.memberId ?? '';
    const send = (text: string) =>
      harness.sync({
        memberId,
        generation: 1,
        assignments: [{ memberId, assignment: Buffer.from(text) }],
      });
    const first = send('one');
    const second = send('two');
    harness.clock.advance(0);
    assert.equal(first.value?.error, 'rebalance-in-progress');
    assert.equal(second.value?.assignment.toString(), 'one');
  });

  it('does not hand out assignments of a generation that ended while they were stored', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join().value?.memberId ?? '';
    harness.engine.hold();
    const synced = harness.sync({ memberId, generation: 1 });
    const newcomer = harness.join();
    assert.equal(synced.value?.error, 'rebalance-in-progress');
    harness.engine.release();
    assert.equal(harness.state(), 'preparing-rebalance');
    assert.equal(harness.join({ memberId }).value?.generation, 2);
    assert.equal(newcomer.value?.generation, 2);
  });

  it('tells everybody when the assignment cannot be stored', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join().value?.memberId ?? '';
    const synced = harness.sync({ memberId, generation: 1 });
    harness.engine.fail();
    assert.equal(synced.value?.error, 'storage-failed');
    assert.equal(harness.state(), 'preparing-rebalance');
  });

  it('heartbeat knows members, generations and rebalances', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}]);
    const memberId = ids[0] ?? '';
    assert.equal(harness.heartbeat(memberId, 1), 'none');
    assert.equal(harness.heartbeat(memberId, 0), 'illegal-generation');
    assert.equal(harness.heartbeat('stranger', 1), 'unknown-member');
    harness.join();
    assert.equal(harness.heartbeat(memberId, 1), 'rebalance-in-progress');
  });

  it('leave empties the group, with a result per member', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}, {}]);
    assert.deepEqual(harness.leave('stranger', ...ids), ['unknown-member', 'none', 'none']);
    assert.equal(harness.state(), 'empty');
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP)?.generation, 3);
    assert.ok(harness.events.some(({ type }) => type === 'group-emptied'));
  });

  it('leave of an unknown group is a matter of its members', async () => {
    const harness = await GroupHarness.ready();
    const members = [{ memberId: 'm', instanceId: null, reason: null }];
    const result = harness.coordinator.leave(NAMESPACE, 'x', members);
    assert.deepEqual(result, { error: 'none', members: ['unknown-member'] });
  });

  it('leave of the last missing member completes the rebalance', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}]);
    const newcomer = harness.join();
    harness.leave(ids[0] ?? '');
    assert.equal(newcomer.value?.generation, 2);
  });

  it('leave takes a pending id back', async () => {
    const harness = await GroupHarness.ready();
    const memberId = harness.join({ requireKnownMemberId: true }).value?.memberId ?? '';
    assert.deepEqual(harness.leave(memberId), ['none']);
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
  });

  it('a member that left while it was parked is told', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{}, {}]);
    const parked = harness.join({ memberId: ids[0] ?? '', protocols: range('x') });
    harness.leave(ids[0] ?? '');
    assert.equal(parked.value?.error, 'unknown-member');
  });
});

describe('closing', () => {
  it('answers whoever waits and leaves no timer', async () => {
    const harness = await GroupHarness.ready();
    harness.stabilize([{}]);
    const parked = harness.join();
    harness.coordinator.close();
    harness.coordinator.close();
    assert.equal(parked.value?.error, 'coordinator-unavailable');
    assert.equal(harness.join().value?.error, 'coordinator-unavailable');
    assert.equal(harness.commit([{}]).value?.error, 'coordinator-unavailable');
    assert.equal(harness.heartbeat('m', 1), 'coordinator-unavailable');
    assert.equal(harness.clock.timerCount, 0);
    assert.equal(harness.coordinator.stats().members, 0);
  });

  it('answers requests that wait for the logs of a namespace', () => {
    const harness = new GroupHarness();
    const waiting = harness.join();
    assert.equal(waiting.count, 0);
    harness.coordinator.close();
    assert.equal(waiting.value?.error, 'coordinator-unavailable');
  });
});
