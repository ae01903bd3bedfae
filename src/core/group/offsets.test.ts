import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  GROUP,
  GroupHarness,
  NAMESPACE,
  settled,
  TopicNames,
} from '../../../test/support/group-harness.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

async function withTopics(options = {}): Promise<GroupHarness> {
  const topics = new TopicNames();
  topics.add('orders', 1);
  topics.add('other', 2);
  return await GroupHarness.ready({ options, topics });
}

describe('committing offsets', () => {
  it('is answered when durable, and read back with everything that was said', async () => {
    const harness = await withTopics();
    harness.engine.hold();
    const reply = harness.commit([{ offset: 7, leaderEpoch: 3, metadata: 'note' }]);
    harness.clock.advance(5);
    assert.equal(reply.count, 0);
    let readable = '';
    harness.coordinator.whenOffsetsDurable(NAMESPACE, GROUP, (error) => (readable = error));
    assert.equal(readable, '');
    harness.engine.release();
    assert.deepEqual(reply.value, { error: 'none', perOffset: ['none'] });
    assert.equal(readable, 'none');
    const committed = harness.coordinator.committedOffset(NAMESPACE, GROUP, 'orders', 0);
    assert.equal(committed?.offset, 7);
    assert.equal(committed?.leaderEpoch, 3);
    assert.equal(committed?.metadata, 'note');
    assert.equal(harness.coordinator.stats().offsetCommits, 1);
  });

  it('makes a group of clients without membership', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 7 }]);
    const view = harness.coordinator.describe(NAMESPACE, GROUP);
    assert.equal(view?.state, 'empty');
    assert.equal(view?.protocolType, '');
    assert.equal(view?.generation, 0);
  });

  it('waits for the logs of a new namespace', async () => {
    const topics = new TopicNames();
    topics.add('orders');
    const harness = new GroupHarness({ topics });
    const reply = harness.commit([{ offset: 1 }]);
    await settled();
    harness.clock.advance(0);
    assert.equal(reply.value?.error, 'none');
    assert.equal(harness.offset(), 1);
  });

  it('refuses long metadata, offset by offset', async () => {
    const harness = await withTopics({ offsetMetadataMax: 4 });
    const offsets = [{ metadata: '12345' }, { partition: 1, offset: 5, metadata: '1234' }];
    const reply = harness.commit(offsets);
    harness.clock.advance(0);
    assert.deepEqual(reply.value?.perOffset, ['metadata-too-large', 'none']);
    assert.equal(harness.offset('orders', 0), null);
    assert.equal(harness.offset('orders', 1), 5);
    const only = harness.commit([{ metadata: '12345' }]);
    assert.deepEqual(only.value?.perOffset, ['metadata-too-large']);
  });

  it('is a matter of members while there are some', async () => {
    const harness = await withTopics();
    const { ids, generation } = harness.stabilize([{}]);
    const memberId = ids[0] ?? '';
    const outcomes = [
      harness.commit([{}], { memberId, generation }),
      harness.commit([{}]),
      harness.commit([{}], { memberId: 'stranger', generation }),
      harness.commit([{}], { memberId, generation: generation - 1 }),
      harness.commit([{}], { memberId, generation: -1 }),
      harness.commit([{}], { groupId: 'unknown', memberId, generation }),
    ];
    harness.clock.advance(0);
    assert.deepEqual(
      outcomes.map(({ value }) => value?.error),
      [
        'none',
        'unknown-member',
        'unknown-member',
        'illegal-generation',
        'illegal-generation',
        'group-not-found',
      ],
    );
  });

  it('is open to members of the old generation while the group rebalances, not after', async () => {
    const harness = await withTopics();
    const { ids, generation } = harness.stabilize([{}]);
    const memberId = ids[0] ?? '';
    harness.join();
    const during = harness.commit([{ offset: 3 }], { memberId, generation });
    harness.clock.advance(0);
    assert.equal(during.value?.error, 'none');
    harness.join({ memberId });
    const old = harness.commit([{}], { memberId, generation });
    assert.equal(old.value?.error, 'illegal-generation');
    const early = harness.commit([{}], { memberId, generation: generation + 1 });
    assert.equal(early.value?.error, 'rebalance-in-progress');
  });

  it('keeps the session alive', async () => {
    const harness = await withTopics();
    const { ids, generation } = harness.stabilize([{ sessionTimeoutMs: 5_000 }]);
    for (let round = 0; round < 4; round++) {
      harness.clock.advance(4_000);
      harness.commit([{ offset: round }], { memberId: ids[0] ?? '', generation });
    }
    assert.equal(harness.state(), 'stable');
  });

  it('says so when nothing can be stored any more', async () => {
    const harness = await withTopics();
    harness.engine.hold();
    const lost = harness.commit([{ offset: 1 }]);
    harness.engine.fail();
    assert.deepEqual(lost.value, { error: 'storage-failed', perOffset: ['storage-failed'] });
    assert.equal(harness.commit([{}]).value?.error, 'storage-failed');
  });
});

describe('offsets and topics', () => {
  it('are listed by group, without topics that are gone', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 1 }, { topic: 'other', partition: 4, offset: 2 }]);
    const list = () =>
      harness.coordinator
        .committedOffsets(NAMESPACE, GROUP)
        .map(({ topic, partition, committed }) => [topic, partition, committed.offset]);
    assert.deepEqual(list(), [
      ['orders', 0, 1],
      ['other', 4, 2],
    ]);
    harness.topics.ids.delete('other');
    assert.deepEqual(list(), [['orders', 0, 1]]);
    assert.deepEqual(harness.coordinator.committedOffsets(NAMESPACE, 'unknown'), []);
  });

  it('are not inherited by a topic that takes the name', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 9 }]);
    harness.topics.add('orders', 77);
    assert.equal(harness.offset(), null);
    harness.commit([{ partition: 1, offset: 4 }]);
    assert.equal(harness.offset('orders', 0), null);
    assert.equal(harness.offset('orders', 1), 4);
  });

  it('go when the topic goes, also after a restart', async () => {
    const harness = await withTopics();
    const id = harness.topics.ids.get('orders') ?? Buffer.alloc(16);
    harness.commit([{ offset: 9 }, { topic: 'other', offset: 3 }]);
    harness.coordinator.topicDeleted(id);
    assert.equal(harness.offset('orders'), null);
    assert.equal(harness.offset('other'), 3);
    harness.clock.advance(0);
    const after = harness.restart();
    assert.equal(after.offset('orders'), null);
    assert.equal(after.offset('other'), 3);
  });

  it('that were the last of a group take it with them', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 9 }]);
    harness.coordinator.topicDeleted(harness.topics.ids.get('orders') ?? Buffer.alloc(16));
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
    assert.equal(harness.coordinator.stats().groups, 0);
  });
});

describe('deleting', () => {
  it('an empty group takes its offsets, durably', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 9 }]);
    harness.engine.hold();
    let result = '';
    const done = harness.coordinator.delete(NAMESPACE, GROUP).then((error) => (result = error));
    await settled();
    assert.equal(result, '');
    harness.engine.release();
    await done;
    assert.equal(result, 'none');
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
    assert.equal(harness.restart().offset(), null);
  });

  it('is refused for unknown groups and groups with members', async () => {
    const harness = await withTopics();
    assert.equal(await harness.coordinator.delete(NAMESPACE, 'unknown'), 'group-not-found');
    harness.stabilize([{}]);
    assert.equal(await harness.coordinator.delete(NAMESPACE, GROUP), 'non-empty-group');
  });

  it('offsets spares topics that members subscribe to', async () => {
    const harness = await withTopics();
    const { ids, generation } = harness.stabilize([{ subscribedTopics: ['orders'] }]);
    harness.commit([{ offset: 1 }, { topic: 'other', offset: 2 }], {
      memberId: ids[0] ?? '',
      generation,
    });
    const partitions = ['orders', 'other', 'never'].map((topic) => ({ topic, partition: 0 }));
    const deleting = harness.coordinator.deleteOffsets(NAMESPACE, GROUP, partitions);
    harness.clock.advance(0);
    assert.deepEqual(await deleting, {
      error: 'none',
      perPartition: ['subscribed-to-topic', 'none', 'none'],
    });
    assert.equal(harness.offset('orders'), 1);
    assert.equal(harness.offset('other'), null);
  });

  it('offsets is refused for unknown groups, and when nobody can say what members use', async () => {
    const harness = await withTopics();
    const partitions = [{ topic: 'orders', partition: 0 }];
    const unknown = await harness.coordinator.deleteOffsets(NAMESPACE, 'unknown', partitions);
    assert.equal(unknown.error, 'group-not-found');
    harness.stabilize([{ subscribedTopics: null }]);
    const members = await harness.coordinator.deleteOffsets(NAMESPACE, GROUP, partitions);
    assert.equal(members.error, 'non-empty-group');
  });
});

describe('expiry', () => {
  it('drops offsets of clients without membership the retention after their commit', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 1 }]);
    harness.clock.advance(6 * DAY_MS);
    harness.commit([{ partition: 1, offset: 2 }]);
    harness.clock.advance(DAY_MS + 600_000);
    assert.equal(harness.offset('orders', 0), null);
    assert.equal(harness.offset('orders', 1), 2);
    harness.clock.advance(6 * DAY_MS + 600_000);
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
    assert.equal(harness.coordinator.stats().offsetExpirations, 2);
  });

  it('counts from when the group became empty, and drops the group with its last offset', async () => {
    const harness = await withTopics();
    const { ids, generation } = harness.stabilize([{ sessionTimeoutMs: 1_800_000 }]);
    harness.commit([{ offset: 1 }], { memberId: ids[0] ?? '', generation });
    for (let hour = 0; hour < 24 * 8 * 2; hour++) {
      harness.clock.advance(1_800_000 - 1);
      assert.equal(harness.heartbeat(ids[0] ?? '', generation), 'none');
    }
    assert.equal(harness.offset(), 1);
    harness.leave(...ids);
    harness.clock.advance(7 * DAY_MS - 1_000);
    assert.equal(harness.offset(), 1);
    harness.clock.advance(601_000);
    assert.equal(harness.offset(), null);
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
    assert.ok(harness.events.some((e) => e.type === 'group-deleted' && e.cause === 'expired'));
  });

  it('drops offsets of topics that members no longer subscribe to', async () => {
    const harness = await withTopics({ offsetsRetentionMs: 60_000, expirationIntervalMs: 10_000 });
    const { ids, generation } = harness.stabilize([{ subscribedTopics: ['orders'] }]);
    const member = { memberId: ids[0] ?? '', generation };
    harness.commit([{ offset: 1 }, { topic: 'other', offset: 2 }], member);
    for (let round = 0; round < 15; round++) {
      harness.clock.advance(5_000);
      harness.heartbeat(member.memberId, generation);
    }
    assert.equal(harness.offset('orders'), 1);
    assert.equal(harness.offset('other'), null);
  });

  it('heeds a life of its own that the client gave an offset', async () => {
    const harness = await withTopics({ expirationIntervalMs: 1_600 });
    harness.commit([
      { offset: 1, retentionMs: 10_000 },
      { partition: 1, offset: 2 },
    ]);
    harness.clock.advance(9_000);
    assert.equal(harness.offset('orders', 0), 1);
    harness.clock.advance(3_000);
    assert.equal(harness.offset('orders', 0), null);
    assert.equal(harness.offset('orders', 1), 2);
  });

  it('drops offsets of topics that went unnoticed, and groups that hold nothing', async () => {
    const harness = await withTopics();
    harness.commit([{ offset: 1 }]);
    harness.stabilize([{ groupId: GROUP }]);
    const { members } = harness.coordinator.describe(NAMESPACE, GROUP) ?? { members: [] };
    harness.leave(...members.map(({ memberId }) => memberId));
    harness.topics.ids.clear();
    harness.clock.advance(600_000);
    assert.equal(harness.coordinator.describe(NAMESPACE, GROUP), null);
    assert.equal(harness.coordinator.stats().groups, 0);
  });
});
