import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTopic } from '../../../../test/support/kafka-calls.ts';
import { openTestBroker } from '../../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../../test/support/kafka-test-broker.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import { CONFIG_SOURCE } from '../configs/config-resolver.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { RESOURCE } from './config-resource.ts';

const OP = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

describe('configurations', () => {
  let tested: TestBroker;
  let client: TestClient;

  before(async () => {
    tested = await openTestBroker();
    client = tested.connect();
    await createTopic(client, 'orders', 1, { 'retention.ms': '1000' });
  });

  after(() => tested.close());

  const describeAll = async (type: number, name: string, keys: string[] | null = null) => {
    const { results } = await client.call(API_CODECS.DescribeConfigs, 4, {
      resources: [{ resourceType: type, resourceName: name, configurationKeys: keys }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    const [result] = results;
    assert.ok(result !== undefined);
    return result;
  };
  const valueOf = async (type: number, name: string, key: string) =>
    (await describeAll(type, name, [key])).configs[0];
  const alter = async (
    type: number,
    name: string,
    changes: readonly (readonly [string, number, string | null])[],
    validateOnly = false,
  ) => {
    const { responses } = await client.call(API_CODECS.IncrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: type,
          resourceName: name,
          configs: changes.map(([key, configOperation, value]) => ({
            name: key,
            configOperation,
            value,
          })),
        },
      ],
      validateOnly,
    });
    return responses[0]?.errorCode;
  };

  it('tells where a topic configuration comes from', async () => {
    const own = await valueOf(RESOURCE.topic, 'orders', 'retention.ms');
    assert.deepEqual([own?.value, own?.configSource], ['1000', CONFIG_SOURCE.topic]);
    assert.deepEqual(
      own?.synonyms.map((synonym) => synonym.source),
      [CONFIG_SOURCE.topic, CONFIG_SOURCE.default],
    );
    const other = await valueOf(RESOURCE.topic, 'orders', 'segment.bytes');
    assert.deepEqual([other?.value, other?.configSource], ['1073741824', CONFIG_SOURCE.default]);
    assert.match(other?.documentation ?? '', /segment/);
  });

  it('tells unknown resources', async () => {
    const topic = await describeAll(RESOURCE.topic, 'never');
    assert.equal(topic.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    const broker = await describeAll(RESOURCE.broker, '99');
    assert.equal(broker.errorCode, KAFKA_ERROR.INVALID_REQUEST);
    const kind = await describeAll(77, 'x');
    assert.equal(kind.errorCode, KAFKA_ERROR.INVALID_REQUEST);
  });

  it('changes single configurations and leaves the others', async () => {
    const changes = [
      ['max.message.bytes', OP.set, '5000'],
      ['retention.ms', OP.delete, null],
    ] as const;
    assert.equal(await alter(RESOURCE.topic, 'orders', changes, true), KAFKA_ERROR.NONE);
    assert.equal((await valueOf(RESOURCE.topic, 'orders', 'retention.ms'))?.value, '1000');
    assert.equal(await alter(RESOURCE.topic, 'orders', changes), KAFKA_ERROR.NONE);
    const topic = tested.broker.topics.byName('default', 'orders');
    assert.equal(topic?.config.maxMessageBytes, 5000);
    assert.equal(topic?.config.retentionMs, 604_800_000);
    assert.deepEqual(topic?.overrides, { 'max.message.bytes': '5000' });
  });

  it('edits lists', async () => {
    const add = [['cleanup.policy', OP.append, 'compact']] as const;
    assert.equal(await alter(RESOURCE.topic, 'orders', add), KAFKA_ERROR.NONE);
    const policy = await valueOf(RESOURCE.topic, 'orders', 'cleanup.policy');
    assert.equal(policy?.value, 'delete,compact');
    assert.equal(tested.broker.topics.byName('default', 'orders')?.config.requireKey, true);
    const take = [['cleanup.policy', OP.subtract, 'compact']] as const;
    assert.equal(await alter(RESOURCE.topic, 'orders', take), KAFKA_ERROR.NONE);
    const noList = [['retention.ms', OP.append, '1']] as const;
    assert.equal(await alter(RESOURCE.topic, 'orders', noList), KAFKA_ERROR.INVALID_CONFIG);
  });

  it('refuses values that make no sense, and changes nothing then', async () => {
    const before = tested.broker.topics.byName('default', 'orders')?.overrides;
    for (const [key, value] of [
      ['no.such', '1'],
      ['retention.ms', 'abc'],
      ['retention.ms', '-5'],
      ['max.message.bytes', '99999999999'],
      ['message.timestamp.type', 'Sometime'],
      ['cleanup.policy', 'delete,shred'],
      ['preallocate', 'maybe'],
      ['min.cleanable.dirty.ratio', '2'],
      ['remote.storage.enable', 'true'],
      ['lyrebird.durability', 'paper'],
    ] as const) {
      const code = await alter(RESOURCE.topic, 'orders', [[key, OP.set, value]]);
      assert.equal(code, KAFKA_ERROR.INVALID_CONFIG, `${key}=${value}`);
    }
    assert.deepEqual(tested.broker.topics.byName('default', 'orders')?.overrides, before);
  });

  it('replaces all configurations with the older API', async () => {
    const { responses } = await client.call(API_CODECS.AlterConfigs, 2, {
      resources: [
        {
          resourceType: RESOURCE.topic,
          resourceName: 'orders',
          configs: [{ name: 'flush.ms', value: '12345' }],
        },
      ],
      validateOnly: false,
    });
    assert.equal(responses[0]?.errorCode, KAFKA_ERROR.NONE);
    const topic = tested.broker.topics.byName('default', 'orders');
    assert.deepEqual(topic?.overrides, { 'flush.ms': '12345' });
    const notice = tested.logger.of('kafka.config.no-effect').at(-1);
    assert.deepEqual(notice?.['names'], ['flush.ms']);
  });

  it('takes durability from flush.messages, and from its own key first', async () => {
    const durabilityOf = (name: string) =>
      tested.broker.topics.byName('default', name)?.config.durability;
    await createTopic(client, 'plain', 1);
    await createTopic(client, 'synced', 1, { 'flush.messages': '1' });
    await createTopic(client, 'lazy', 1, { 'flush.messages': '10000' });
    await createTopic(client, 'own', 1, { 'flush.messages': '1', 'lyrebird.durability': 'os' });
    assert.deepEqual(['plain', 'synced', 'lazy', 'own'].map(durabilityOf), [
      'fsync',
      'fsync',
      'os',
      'os',
    ]);
    const shown = await valueOf(RESOURCE.topic, 'plain', 'flush.messages');
    assert.equal(shown?.value, '1', 'what happens is what is shown');
  });

  it('lets topics follow the broker where they do not say otherwise', async () => {
    await createTopic(client, 'follower', 1);
    await createTopic(client, 'stubborn', 1, { 'retention.ms': '5' });
    const set = [['log.retention.ms', OP.set, '777']] as const;
    assert.equal(await alter(RESOURCE.broker, '', set), KAFKA_ERROR.NONE);
    const shown = await valueOf(RESOURCE.broker, '', 'log.retention.ms');
    assert.equal(shown?.value, '777');
    const effective = await valueOf(RESOURCE.topic, 'follower', 'retention.ms');
    assert.deepEqual(
      [effective?.value, effective?.configSource],
      ['777', CONFIG_SOURCE.dynamicDefaultBroker],
    );
    await createTopic(client, 'younger', 1);
    const retentionOf = (name: string) =>
      tested.broker.topics.byName('default', name)?.config.retentionMs;
    while (retentionOf('follower') !== 777) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(['younger', 'stubborn'].map(retentionOf), [777, 5]);
    const reset = [['log.retention.ms', OP.delete, null]] as const;
    assert.equal(await alter(RESOURCE.broker, '', reset), KAFKA_ERROR.NONE);
    while (retentionOf('follower') === 777) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(retentionOf('follower'), 604_800_000);
  });

  it('lists broker configurations and says which cannot change', async () => {
    const { configs } = await describeAll(RESOURCE.broker, '1');
    assert.ok(configs.length > 300);
    const named = new Map(configs.map((config) => [config.name, config]));
    assert.equal(named.get('message.max.bytes')?.value, '1048588');
    assert.equal(named.get('node.id')?.value, '1');
    assert.equal(named.get('node.id')?.readOnly, true);
    assert.equal(named.get('log.retention.ms')?.readOnly, false);
    assert.equal(named.get('ssl.keystore.password')?.isSensitive, true);
    for (const [name, key, code] of [
      ['1', 'node.id', KAFKA_ERROR.INVALID_REQUEST],
      ['1', 'num.partitions', KAFKA_ERROR.INVALID_REQUEST],
      ['', 'listeners', KAFKA_ERROR.INVALID_REQUEST],
      ['1', 'no.such', KAFKA_ERROR.INVALID_CONFIG],
    ] as const) {
      assert.equal(await alter(RESOURCE.broker, name, [[key, OP.set, '5']]), code, key);
    }
  });

  it('keeps configurations of groups and client metrics', async () => {
    const group = [['consumer.session.timeout.ms', OP.set, '46000']] as const;
    assert.equal(await alter(RESOURCE.group, 'g', group), KAFKA_ERROR.NONE);
    const shown = await valueOf(RESOURCE.group, 'g', 'consumer.session.timeout.ms');
    assert.deepEqual([shown?.value, shown?.configSource], ['46000', CONFIG_SOURCE.group]);
    const metrics = [['interval.ms', OP.set, '60000']] as const;
    assert.equal(await alter(RESOURCE.clientMetrics, 'm', metrics), KAFKA_ERROR.NONE);
    const listed = await client.call(API_CODECS.ListConfigResources, 1, { resourceTypes: [] });
    const names = listed.configResources.map((one) => `${one.resourceType}/${one.resourceName}`);
    assert.ok(names.includes('32/g') && names.includes('16/m') && names.includes('2/orders'));
    const old = await client.call(API_CODECS.ListConfigResources, 0, { resourceTypes: [] });
    assert.deepEqual(
      old.configResources.map((one) => one.resourceName),
      ['m'],
    );
  });
});
