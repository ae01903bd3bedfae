import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeConsumerProtocolSubscription } from '../../codec/generated/consumer-protocol.ts';
import { Writer } from '../../codec/writer.ts';
import { subscribedTopics } from './subscription.ts';

function metadata(version: number, topics: string[]): Buffer {
  const writer = new Writer();
  writer.int16(version);
  const ownedPartitions = [{ topic: 'owned', partitions: [1] }];
  const value = {
    topics,
    userData: Buffer.from('u'),
    ownedPartitions,
    generationId: 3,
    rackId: null,
  };
  writeConsumerProtocolSubscription(writer, value, Math.min(version, 3));
  return writer.toBuffer();
}

test('topics are read from every version of a subscription, over all protocols', () => {
  for (const version of [0, 1, 2, 3, 9]) {
    const protocols = [
      { name: 'range', metadata: metadata(version, ['a', 'b']) },
      { name: 'sticky', metadata: metadata(version, ['b', 'c']) },
    ];
    assert.deepEqual(subscribedTopics('consumer', protocols), ['a', 'b', 'c']);
  }
});

test('what is not a subscription is no error', () => {
  const good = { name: 'range', metadata: metadata(0, ['a']) };
  assert.equal(subscribedTopics('connect', [good]), null);
  const bad = [Buffer.alloc(0), Buffer.from([0]), Buffer.from([0, 0, 0x7f, 0xff, 0xff, 0xff])];
  for (const bytes of bad) {
    assert.equal(subscribedTopics('consumer', [good, { name: 'x', metadata: bytes }]), null);
  }
});
