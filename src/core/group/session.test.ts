import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupHarness } from '../../../test/support/group-harness.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ConnectionIndex, Session } from './session.ts';

function newSession(graceMs = 2_000) {
  const clock = new ManualClock();
  const connections = new ConnectionIndex();
  const silences: string[] = [];
  const session = new Session({
    clock,
    connections,
    disconnectGraceMs: graceMs,
    onSilent: (cause) => silences.push(`${cause} at ${clock.monotonicMs()}`),
  });
  const close = (id: number) => {
    for (const found of connections.take(id)) found.connectionClosed(id);
  };
  return { clock, connections, session, silences, close };
}

describe('a session', () => {
  it('ends at its deadline, which may be moved both ways', () => {
    const { clock, session, silences } = newSession();
    session.extend(1_000);
    clock.advance(999);
    session.extend(1_000);
    clock.advance(999);
    assert.deepEqual(silences, []);
    session.extend(10_000);
    session.extend(500);
    clock.advance(500);
    assert.deepEqual(silences, ['deadline at 2498']);
    assert.equal(clock.timerCount, 0);
  });

  it('moves without setting timers', () => {
    const { clock, session } = newSession();
    session.extend(1_000);
    for (let beat = 0; beat < 50; beat++) {
      session.extend(1_000);
      assert.equal(clock.timerCount, 1);
      clock.advance(300);
    }
  });

  it('ends after the grace when its last connection ended', () => {
    const { clock, session, silences, close } = newSession();
    session.seen(1);
    session.seen(2);
    close(1);
    clock.advance(5_000);
    assert.deepEqual(silences, []);
    close(2);
    clock.advance(1_999);
    assert.deepEqual(silences, []);
    clock.advance(1);
    assert.deepEqual(silences, ['disconnected at 7000']);
  });

  it('goes on when the member is heard of again within the grace', () => {
    const { clock, session, silences, close, connections } = newSession();
    session.seen(1);
    close(1);
    clock.advance(1_500);
    session.seen(2);
    clock.advance(5_000);
    assert.deepEqual(silences, []);
    session.stop();
    assert.equal(connections.size, 0);
    assert.equal(clock.timerCount, 0);
  });

  it('waits for the next heartbeat when those come seldom', () => {
    const { clock, session, silences, close } = newSession();
    session.beat(1);
    clock.advance(3_000);
    session.beat(1);
    close(1);
    clock.advance(3_700);
    assert.deepEqual(silences, []);
    clock.advance(100);
    assert.equal(silences.length, 1);
  });

  it('knows no grace when that is switched off', () => {
    const { clock, session, close } = newSession(Number.POSITIVE_INFINITY);
    session.seen(1);
    close(1);
    assert.equal(clock.timerCount, 0);
  });
});

describe('members that fall silent', () => {
  it('are evicted at their session timeout, and the rest rebalances', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{ sessionTimeoutMs: 5_000 }, {}]);
    harness.clock.advance(4_999);
    assert.equal(harness.heartbeat(ids[1] ?? '', 2), 'none');
    harness.clock.advance(1);
    assert.equal(harness.state(), 'preparing-rebalance');
    assert.equal(harness.heartbeat(ids[0] ?? '', 2), 'unknown-member');
    const evicted = harness.events.find(({ type }) => type === 'member-evicted');
    assert.ok(evicted?.type === 'member-evicted' && evicted.cause === 'session-timeout');
    assert.equal(harness.coordinator.stats().evictions, 1);
  });

  it('keep their place while they wait for others, and get a fresh session then', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{ sessionTimeoutMs: 5_000 }, { sessionTimeoutMs: 25_000 }]);
    const parked = harness.join({ memberId: ids[0] ?? '', sessionTimeoutMs: 5_000 });
    harness.clock.advance(20_000);
    assert.equal(parked.count, 0);
    harness.join({ memberId: ids[1] ?? '', sessionTimeoutMs: 25_000 });
    assert.equal(parked.value?.generation, 3);
    harness.clock.advance(4_999);
    assert.equal(harness.heartbeat(ids[0] ?? '', 3), 'none');
  });

  it('are given up when their very first join waits too long', async () => {
    const options = { newMemberJoinTimeoutMs: 60_000 };
    const harness = await GroupHarness.ready({ options });
    const { ids } = harness.stabilize([{ rebalanceTimeoutMs: 100_000, sessionTimeoutMs: 90_000 }]);
    const newcomer = harness.join();
    harness.clock.advance(60_000);
    assert.equal(newcomer.value?.error, 'unknown-member');
    assert.equal(harness.heartbeat(ids[0] ?? '', 1), 'rebalance-in-progress');
  });

  it('whose connection ended are evicted early, unless they come back', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{ connectionId: 1 }, { connectionId: 2 }]);
    harness.coordinator.connectionClosed(1);
    harness.coordinator.connectionClosed(2);
    harness.clock.advance(1_000);
    assert.equal(harness.heartbeat(ids[1] ?? '', 2, { connectionId: 3 }), 'none');
    harness.clock.advance(1_000);
    assert.equal(harness.heartbeat(ids[0] ?? '', 2), 'unknown-member');
    assert.equal(harness.heartbeat(ids[1] ?? '', 2), 'rebalance-in-progress');
  });

  it('whose connection ended while their join was parked do not hold up the others', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{ connectionId: 1 }]);
    const ghost = harness.join({ connectionId: 2 });
    harness.coordinator.connectionClosed(2);
    harness.clock.advance(2_000);
    assert.equal(ghost.value?.error, 'unknown-member');
    const again = harness.join({ memberId: ids[0] ?? '' });
    assert.equal(again.value?.members.length, 1);
  });

  it('that are static outlive their connection', async () => {
    const harness = await GroupHarness.ready();
    const { ids } = harness.stabilize([{ instanceId: 'i', connectionId: 1 }]);
    harness.coordinator.connectionClosed(1);
    harness.clock.advance(9_000);
    assert.equal(harness.state(), 'stable');
    harness.clock.advance(1_000);
    assert.equal(harness.state(), 'empty');
    assert.equal(ids.length, 1);
  });
});
