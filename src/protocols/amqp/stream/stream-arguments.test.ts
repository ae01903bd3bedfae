import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arguments } from '../../../core/queue-types.ts';
import type { TopicConfig, TopicView } from '../../../core/types.ts';
import { AMQP_CONFIG_DEFAULTS } from '../config.ts';
import {
  findStreamDefect,
  findStreamDifference,
  parseAge,
  streamArguments,
  streamSettings,
} from './stream-arguments.ts';

function topicOf(values: Arguments, changes: Partial<TopicConfig> = {}): TopicView {
  const { config, overrides } = streamSettings(values, AMQP_CONFIG_DEFAULTS);
  return { name: 's', config: { ...config, ...changes }, overrides } as TopicView;
}

const differenceOf = (values: Arguments, topic: TopicView): string | null => {
  const difference = findStreamDifference(values, topic, AMQP_CONFIG_DEFAULTS);
  if (difference === null) return null;
  return `${difference.property}: ${difference.received}, not ${difference.current}`;
};

describe('arguments of streams', () => {
  it('tell ages in units', () => {
    const ages = ['1s', '2m', '3h', '4D', '1M', '1Y'].map(parseAge);
    const day = 86_400_000;
    assert.deepEqual(ages, [1000, 120_000, 10_800_000, 4 * day, 30 * day, 365 * day]);
    for (const text of ['', '7', 'D', '7d', '-1D', '1.5h', '7D ', '99999999999Y']) {
      assert.equal(parseAge(text), null, text);
    }
  });

  it('become settings of a topic, also in the words of Kafka tools', () => {
    const values = {
      'queue-type': 'stream',
      'max-age': '2h',
      'max-length-bytes': 5000,
      'stream-max-segment-size-bytes': 1000,
    };
    const { config, overrides } = streamSettings(values, AMQP_CONFIG_DEFAULTS);
    assert.equal(config.retentionMs, 7_200_000);
    assert.equal(config.retentionBytes, 5000);
    assert.equal(config.segmentBytes, 1000);
    assert.equal(overrides['retention.ms'], '7200000');
    assert.deepEqual(streamArguments(topicOf(values)), values);
    const unlimited = streamSettings({ 'queue-type': 'stream' }, AMQP_CONFIG_DEFAULTS);
    assert.equal(unlimited.config.retentionMs, Infinity);
    assert.equal(unlimited.overrides['retention.ms'], '-1');
    assert(unlimited.config.maxMessageBytes > AMQP_CONFIG_DEFAULTS.messageBytesMax);
  });

  it('are refused when they make no sense', () => {
    assert.equal(findStreamDefect({ 'max-age': '7D', 'max-length-bytes': 0 }), null);
    assert.deepEqual(findStreamDefect({ 'max-age': 'week' }), {
      argument: 'x-max-age',
      message: 'invalid_max_age',
    });
    assert.equal(findStreamDefect({ 'max-age': 7 })?.argument, 'x-max-age');
    assert.equal(findStreamDefect({ 'max-length-bytes': -1 })?.argument, 'x-max-length-bytes');
  });

  it('must be the same again, value by value', () => {
    const declared = { 'queue-type': 'stream', 'max-age': '7D' };
    assert.equal(differenceOf(declared, topicOf(declared)), null);
    assert.equal(
      differenceOf({ 'queue-type': 'stream' }, topicOf(declared)),
      'x-max-age: none, not 7D',
    );
    assert.equal(
      differenceOf({ ...declared, 'max-age': '8D' }, topicOf(declared)),
      'x-max-age: 8D, not 7D',
    );
  });

  it('must only not contradict a topic that others made', () => {
    const made = { ...topicOf({}, { retentionMs: 60_000, retentionBytes: 99 }), overrides: {} };
    const topic = made as TopicView;
    assert.equal(differenceOf({ 'queue-type': 'stream' }, topic), null);
    assert.equal(differenceOf({ 'max-age': '1m', 'max-length-bytes': 99 }, topic), null);
    assert.equal(differenceOf({ 'max-age': '2m' }, topic), 'x-max-age: 2m, not 60s');
    assert.equal(differenceOf({ 'max-length-bytes': 1 }, topic), 'x-max-length-bytes: 1, not 99');
  });
});
