import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { GROUP, GroupHarness, NAMESPACE, TopicNames } from '../../../test/support/group-harness.ts';
import { NoteEngine } from '../../../test/support/note-engine.ts';
import { SeededRandom } from '../../base/random.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import type { GroupView } from '../group-types.ts';
import { createGroupCoordinator } from './index.ts';

async function withTopics(): Promise<GroupHarness> {
  const topics = new TopicNames();
  for (const [index, name] of ['orders', 'other', 'third'].entries()) topics.add(name, index + 1);
  return await GroupHarness.ready({ topics });
}

/** What a restart must bring back of a group that was stable or empty. */
function durable(view: GroupView | null) {
  if (view === null) return null;
  return {
    ...view,
    members: view.members.map((member) => ({ ...member, lastHeartbeatMs: 0 })),
  };
}

describe('a restart', () => {
  it('brings members back with generation and assignment: they go on without a rebalance', async () => {
    const before = await withTopics();
    const { ids, generation } = before.stabilize([{}, {}, { subscribedTopics: ['orders'] }]);
    const after = before.restart();
    for (const memberId of ids) {
      assert.equal(after.heartbeat(memberId, generation), 'none');
      const synced = after.sync({ memberId, generation });
      assert.equal(synced.value?.assignment.toString(), `for ${memberId}`);
      const commit = after.commit([{ offset: 1 }], { memberId, generation });
      after.clock.advance(0);
      assert.equal(commit.value?.error, 'none');
    }
    assert.equal(after.coordinator.stats().members, 3);
    assert.equal(after.events.length, 0);
  });

  it('gives members a fresh session, after which they are evicted', async () => {
    const before = await withTopics();
    const { ids } = before.stabilize([{ sessionTimeoutMs: 6_000 }]);
    before.clock.advance(5_000);
    const after = before.restart();
    after.clock.advance(5_999);
    assert.equal(after.state(), 'stable');
    after.clock.advance(1);
    assert.equal(after.state(), 'empty');
    assert.equal(ids.length, 1);
  });

  it('lets a follower that joins again unchanged keep its generation', async () => {
    const before = await withTopics();
    const protocols = [
      { name: 'range', metadata: Buffer.from('r') },
      { name: 'sticky', metadata: Buffer.from('s') },
    ];
    const { ids, leaderId, generation } = before.stabilize([{ protocols }, { protocols }]);
    const after = before.restart();
    const follower = ids.find((id) => id !== leaderId) ?? '';
    const again = after.join({ memberId: follower, protocols });
    assert.equal(again.value?.generation, generation);
    assert.equal(again.value?.leaderId, leaderId);
  });

  it('keeps what was acknowledged and only that', async () => {
    const before = await withTopics();
    before.commit([{ offset: 1 }]);
    before.clock.advance(0);
    before.engine.hold();
    const lost = before.commit([{ offset: 2 }]);
    const after = before.restart();
    assert.equal(lost.count, 0);
    assert.equal(after.offset(), 1);
  });

  it('in the middle of a rebalance goes back to the generation before', async () => {
    const before = await withTopics();
    const { ids, generation } = before.stabilize([{}]);
    before.join();
    before.join({ memberId: ids[0] ?? '' });
    assert.equal(before.state(), 'completing-rebalance');
    const after = before.restart();
    assert.equal(after.state(), 'stable');
    assert.equal(after.heartbeat(ids[0] ?? '', generation + 1), 'illegal-generation');
    assert.equal(after.heartbeat(ids[0] ?? '', generation), 'none');
  });

  it('remembers the generation and age of an empty group', async () => {
    const before = await withTopics();
    const { ids } = before.stabilize([{}]);
    before.commit([{ offset: 5 }], { memberId: ids[0] ?? '', generation: 1 });
    before.leave(...ids);
    before.clock.advance(0);
    const after = before.restart();
    const view = after.coordinator.describe(NAMESPACE, GROUP);
    assert.equal(view?.state, 'empty');
    assert.equal(view?.generation, 2);
    assert.equal(view?.protocolType, 'consumer');
    assert.equal(after.join().value?.generation, 3);
    assert.equal(after.offset(), 5);
  });

  it('skips what cannot be read, and keeps the rest', async () => {
    const before = await withTopics();
    before.commit([{ offset: 5 }]);
    before.clock.advance(0);
    const { notes } = before.engine.stored;
    const log = notes[0]?.log ?? 0;
    notes.unshift({ log, note: Buffer.from([0xc6, 1, 99, 0]), position: 0 });
    notes.unshift({ log, note: Buffer.from('of somebody else'), position: 0 });
    assert.equal(before.restart().offset(), 5);
  });

  it('loses nothing when a checkpoint is made before the groups are built', async () => {
    const before = await withTopics();
    before.commit([{ offset: 5 }]);
    before.engine.checkpoint();
    before.commit([{ offset: 6 }]);
    before.clock.advance(0);
    const stored = before.engine.crash();
    const engine = new NoteEngine(before.clock, stored);
    const coordinator = createGroupCoordinator({
      engine: engine.engine,
      clock: before.clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      topics: before.topics.registry,
    });
    for (const { log, note } of stored.notes) coordinator.replayNote(log, note);
    engine.checkpoint();
    coordinator.restore();
    const offset = () => coordinator.committedOffset(NAMESPACE, GROUP, 'orders', 0)?.offset;
    assert.equal(offset(), 6);
    coordinator.close();
    const after = new GroupHarness({ stored, clock: before.clock, topics: before.topics });
    assert.equal(after.offset(), 6);
  });

  it('refuses state of a newer version', async () => {
    const before = await withTopics();
    before.commit([{ offset: 5 }]);
    before.clock.advance(0);
    const { notes } = before.engine.stored;
    const note = notes[0]?.note ?? Buffer.alloc(0);
    note[1] = 2;
    assert.throws(() => before.restart(), { code: 'LB2001' });
  });

  it('gives the same groups whatever was checkpointed when', async () => {
    const action = fc.oneof(
      fc.record({
        do: fc.constant('commit' as const),
        group: fc.nat(3),
        topic: fc.constantFrom('orders', 'other', 'third'),
        partition: fc.nat(2),
        offset: fc.nat(),
      }),
      fc.record({
        do: fc.constant('stabilize' as const),
        group: fc.nat(3),
        size: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({ do: fc.constant('leave' as const), group: fc.nat(3) }),
      fc.record({ do: fc.constant('delete' as const), group: fc.nat(3) }),
      fc.record({ do: fc.constant('topic-deleted' as const), topic: fc.nat(2) }),
      fc.record({ do: fc.constant('checkpoint' as const) }),
      fc.record({ do: fc.constant('restart' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        let harness = await withTopics();
        for (const step of actions) {
          const groupId = 'group' in step ? `group-${step.group}` : '';
          switch (step.do) {
            case 'commit': {
              const { topic, partition, offset } = step;
              harness.commit([{ topic, partition, offset }], { groupId });
              break;
            }
            case 'stabilize': {
              for (let count = 0; count < step.size; count++) {
                const { value } = harness.join({ groupId, instanceId: `static-${count}` });
                const { memberId = '', generation = -1 } = value ?? {};
                if (value?.error === 'none') harness.sync({ groupId, memberId, generation });
              }
              break;
            }
            case 'leave': {
              const members = harness.coordinator.describe(NAMESPACE, groupId)?.members ?? [];
              harness.coordinator.leave(
                NAMESPACE,
                groupId,
                members.map(({ memberId, instanceId }) => ({ memberId, instanceId, reason: null })),
              );
              break;
            }
            case 'delete':
              void harness.coordinator.delete(NAMESPACE, groupId);
              break;
            case 'topic-deleted':
              harness.coordinator.topicDeleted(Buffer.alloc(16, step.topic + 1));
              break;
            case 'checkpoint':
              harness.engine.checkpoint();
              break;
            case 'restart':
              harness.clock.advance(0);
              harness = harness.restart();
              break;
          }
          harness.clock.advance(0);
        }
        const groups = [0, 1, 2, 3].map((index) => `group-${index}`);
        const settledGroups = groups.filter((groupId) =>
          ['stable', 'empty'].includes(harness.state(groupId) ?? ''),
        );
        const views = settledGroups.map((groupId) =>
          durable(harness.coordinator.describe(NAMESPACE, groupId)),
        );
        const offsets = (of: GroupHarness) =>
          groups.map((groupId) =>
            [...of.coordinator.committedOffsets(NAMESPACE, groupId)].sort((a, b) =>
              a.topic + a.partition < b.topic + b.partition ? -1 : 1,
            ),
          );
        const before = offsets(harness);
        const after = harness.restart();
        assert.deepEqual(
          settledGroups.map((groupId) => durable(after.coordinator.describe(NAMESPACE, groupId))),
          views,
        );
        assert.deepEqual(offsets(after), before);
        after.coordinator.close();
      }),
      { numRuns: 60 },
    );
  });
});
