import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { NewQueue, QueueView } from '../../../core/queue-types.ts';
import type { BindingView, ExchangeView } from '../../../core/routing-types.ts';
import { userPrincipal } from '../../../security/principal.ts';
import { CoreHarness } from '../../../../test/support/core-harness.ts';
import { exportDefinitions } from './export-definitions.ts';
import { importDefinitions } from './import-definitions.ts';
import type { DefinitionsPorts } from './ports.ts';

/** What was declared, without doing anything with it. */
class Topology {
  readonly queues = new Map<string, NewQueue>();
  readonly exchanges = new Map<string, ExchangeView>();
  readonly bindings = new Map<string, BindingView>();

  ports(harness: CoreHarness): DefinitionsPorts {
    const list = (namespace: string): readonly QueueView[] =>
      [...this.queues.values()].filter((queue) => queue.namespace === namespace) as QueueView[];
    const exchange = (namespace: string, name: string): ExchangeView | null =>
      this.exchanges.get(`${namespace} ${name}`) ?? null;
    return {
      broker: harness.broker,
      queues: {
        list,
        declare: (queue) => {
          const key = `${queue.namespace} ${queue.name}`;
          if (queue.arguments['max-length'] === 'many') {
            return { status: 'invalid-argument', argument: 'max-length', message: 'not a number' };
          }
          const created = !this.queues.has(key);
          if (created) this.queues.set(key, queue);
          return { status: 'ok', queue: queue as QueueView, created };
        },
      },
      router: {
        exchange,
        exchanges: (namespace) =>
          [...this.exchanges.values()].filter((one) => one.namespace === namespace),
        declareExchange: (added) => {
          const view = { ...added, alternateExchange: null, policy: null } as ExchangeView &
            typeof added;
          this.exchanges.set(`${added.namespace} ${added.name}`, view);
          return { status: 'ok', exchange: view, created: true };
        },
        bindings: (namespace) =>
          [...this.bindings.values()].filter((one) => one.namespace === namespace),
        bind: (binding) => {
          const { namespace, source, destination, routingKey } = binding;
          if (!source.startsWith('amq.') && exchange(namespace, source) === null) {
            return { status: 'no-source' };
          }
          const key = JSON.stringify([namespace, source, destination, routingKey]);
          this.bindings.set(key, { ...binding, propertiesKey: routingKey, durable: true });
          return { status: 'ok', changed: true };
        },
      },
    };
  }
}

/** As RabbitMQ 3.8 writes it: tags with commas, no metadata. */
const FROM_3_8 = {
  rabbit_version: '3.8.9',
  product_name: 'RabbitMQ',
  users: [
    {
      name: 'alice',
      // "correct horse" with the salt 0x01020304.
      password_hash: 'AQIDBKWjLlJkv4rAIX6ptCVRSJZxAv0jHRleHG5Rrq7f5Fz3',
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: 'administrator,monitoring',
      limits: {},
    },
  ],
  vhosts: [{ name: '/' }, { name: 'shop', tracing: false }],
  permissions: [
    { user: 'alice', vhost: '/', configure: '^a', write: '.*', read: '' },
    { user: 'nobody', vhost: '/', configure: '.*', write: '.*', read: '.*' },
  ],
  topic_permissions: [
    { user: 'alice', vhost: '/', exchange: 'amq.topic', write: '^{username}\\.', read: '.*' },
  ],
  parameters: [
    {
      value: { 'max-connections': 10, 'max-queues': -1 },
      vhost: 'shop',
      component: 'vhost-limits',
      name: 'limits',
    },
    {
      value: { pattern: '.*', definition: { 'max-length': 5 }, priority: 1, 'apply-to': 'queues' },
      vhost: 'shop',
      component: 'operator_policy',
      name: 'bound',
    },
  ],
  global_parameters: [{ name: 'cluster_name', value: 'rabbit@host' }],
  policies: [
    {
      vhost: 'shop',
      name: 'limits',
      pattern: '^q',
      'apply-to': 'queues',
      definition: { 'max-length': 10, 'ha-mode': 'all' },
      priority: 0,
    },
  ],
  queues: [
    {
      name: 'q1',
      vhost: 'shop',
      durable: true,
      auto_delete: false,
      arguments: { 'x-max-length': 100, 'x-queue-type': 'classic', custom: 'kept' },
    },
    { name: 'amq.gen-x', vhost: 'shop', durable: true, auto_delete: false, arguments: {} },
  ],
  exchanges: [
    {
      name: 'events',
      vhost: 'shop',
      type: 'topic',
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: { 'alternate-exchange': 'other' },
    },
  ],
  bindings: [
    {
      source: 'events',
      vhost: 'shop',
      destination: 'q1',
      destination_type: 'queue',
      routing_key: 'a.#',
      arguments: { 'x-match': 'any' },
    },
  ],
};

/** As 3.12 writes it: tags are lists, virtual hosts have metadata and default queue types. */
const FROM_3_12 = {
  ...FROM_3_8,
  rabbit_version: '3.12.14',
  rabbitmq_version: '3.12.14',
  product_version: '3.12.14',
  rabbitmq_definition_format: 'cluster',
  original_cluster_name: 'rabbit@host',
  explanation: 'Definitions of cluster',
  users: [{ ...FROM_3_8.users[0], tags: ['administrator'], limits: { 'max-channels': 3 } }],
  vhosts: [
    {
      name: 'shop',
      description: 'the shop',
      tags: ['a', 'b'],
      default_queue_type: 'quorum',
      limits: [],
      metadata: { description: 'the shop', tags: ['a', 'b'], default_queue_type: 'quorum' },
    },
  ],
};

/** As 4.1 writes it: types beside arguments, empty objects as lists. */
const FROM_4_1 = {
  ...FROM_3_12,
  rabbit_version: '4.1.0',
  rabbitmq_version: '4.1.0',
  vhosts: [
    {
      name: 'shop',
      metadata: { description: 'meta', tags: ['m'], default_queue_type: 'undefined' },
    },
  ],
  queues: [
    { name: 'q1', vhost: 'shop', type: 'quorum', durable: true, auto_delete: false, arguments: [] },
  ],
  something_new: [{ a: 1 }],
};

let harness: CoreHarness;
let topology: Topology;
let ports: DefinitionsPorts;

beforeEach(async () => {
  harness = await CoreHarness.open();
  topology = new Topology();
  ports = topology.ports(harness);
});

afterEach(() => harness.close());

function sha256Document() {
  return structuredClone(FROM_3_8) as Record<string, unknown>;
}

async function imported(document: unknown, vhost: string | null = null) {
  const outcome = await importDefinitions(ports, document, vhost);
  assert(outcome.status === 'ok', JSON.stringify(outcome));
  return outcome;
}

async function refusal(document: unknown, vhost: string | null = null): Promise<string> {
  const outcome = await importDefinitions(ports, document, vhost);
  assert(outcome.status === 'invalid', JSON.stringify(outcome));
  return outcome.message;
}

describe('importDefinitions', () => {
  it('takes a document of 3.8', async () => {
    const { counts, skipped } = await imported(sha256Document());
    const { security, namespaces, policies, parameters } = harness.broker;
    assert.deepEqual(counts, {
      users: 1,
      vhosts: 2,
      permissions: 1,
      topic_permissions: 1,
      global_parameters: 1,
      parameters: 2,
      policies: 1,
      exchanges: 1,
      queues: 1,
      bindings: 1,
    });
    assert.equal(skipped.length, 2);
    assert.deepEqual(security.users.get('alice')?.tags, ['administrator', 'monitoring']);
    const peer = { protocol: 'amqp', address: '127.0.0.1' };
    assert.equal(security.logins.checkPassword('alice', 'correct horse', peer).status, 'ok');
    assert.equal(security.permissions.get('default', 'alice')?.configure, '^a');
    const topic = {
      principal: userPrincipal('alice'),
      namespace: 'default',
      exchange: 'amq.topic',
    };
    const asked = { ...topic, operation: 'write' } as const;
    assert(security.authorizer.allowsTopic({ ...asked, routingKey: 'alice.x' }));
    assert(!security.authorizer.allowsTopic({ ...asked, routingKey: 'bob.x' }));
    assert.deepEqual(namespaces.get('shop')?.limits, { maxConnections: 10, maxQueues: null });
    assert.equal(parameters.getGlobal('cluster_name')?.value, 'rabbit@host');
    assert.deepEqual(policies.effective('classic_queue', 'shop', 'q1'), {
      policy: 'limits',
      operatorPolicy: 'bound',
      definition: { 'max-length': 5, 'ha-mode': 'all' },
    });
    assert.deepEqual(topology.queues.get('shop q1')?.arguments, {
      'max-length': 100,
      'queue-type': 'classic',
      custom: 'kept',
    });
    assert.equal(topology.bindings.size, 1);
  });

  it('takes documents of 3.12 and 4.1', async () => {
    await imported(FROM_3_12);
    const { namespaces, security } = harness.broker;
    assert.equal(namespaces.get('shop')?.defaultQueueType, 'quorum');
    assert.deepEqual(namespaces.get('shop')?.tags, ['a', 'b']);
    assert.equal(security.users.get('alice')?.limits.maxChannels, 3);
    topology.queues.clear();
    await imported(FROM_4_1);
    assert.equal(namespaces.get('shop')?.defaultQueueType, null);
    assert.equal(namespaces.get('shop')?.description, 'meta');
    assert.deepEqual(topology.queues.get('shop q1')?.arguments, { 'queue-type': 'quorum' });
  });

  it('changes nothing the second time', async () => {
    await imported(FROM_3_12);
    const once = exportDefinitions(ports, null, { version: '3.13.7' });
    await imported(FROM_3_12);
    assert.deepEqual(exportDefinitions(ports, null, { version: '3.13.7' }), once);
  });

  it('takes back what it exported', async () => {
    await imported(sha256Document());
    const exported = exportDefinitions(ports, null, { version: '3.13.7' });
    const text = JSON.stringify(exported);
    await harness.close();
    harness = await CoreHarness.open();
    topology = new Topology();
    ports = topology.ports(harness);
    await imported(JSON.parse(text));
    assert.equal(JSON.stringify(exportDefinitions(ports, null, { version: '3.13.7' })), text);
  });

  it('exports and imports one virtual host', async () => {
    await imported(sha256Document());
    const exported = exportDefinitions(ports, 'shop', { version: '3.13.7' });
    assert(exported !== null);
    assert.equal(exported['users'], undefined);
    assert(!JSON.stringify(exported['queues']).includes('vhost'));
    await harness.broker.namespaces.put('copy');
    await imported(exported, 'copy');
    assert(topology.queues.has('copy q1'));
    assert.equal(harness.broker.policies.get('policy', 'copy', 'limits')?.pattern, '^q');
    assert.equal(exportDefinitions(ports, 'absent', { version: '3.13.7' }), null);
    assert.match(await refusal(exported, 'absent'), /virtual host "absent"/);
  });

  it('takes MD5 hashes of versions before 3.6', async () => {
    const hash = Buffer.alloc(20, 1).toString('base64');
    await imported({ rabbit_version: '3.5.7', users: [{ name: 'old', password_hash: hash }] });
    assert.equal(harness.broker.security.users.get('old')?.password?.algorithm, 'md5');
  });

  it('keeps users without a password', async () => {
    await imported({ users: [{ name: 'cert', password_hash: '', tags: [] }] });
    assert.equal(harness.broker.security.users.get('cert')?.password, null);
  });

  it('names the entry that it cannot take', async () => {
    const queue = { name: 'q', vhost: '/', arguments: { 'x-max-length': 'many' } };
    const cases: readonly [unknown, RegExp][] = [
      [[], /not an object/],
      [{ queues: {} }, /^queues: a list/],
      [{ queues: [7] }, /^queues\[0\]: an object/],
      [{ queues: [{ vhost: '/' }] }, /^queues\[0\]: 'name'/],
      [{ queues: [{ name: 'q', vhost: 'x' }] }, /^queues\[0\] 'q': there is no virtual host "x"/],
      [{ queues: [{ name: 'a', vhost: '/' }, queue] }, /^queues\[1\] 'q': not a number/],
      [{ users: [{ name: 'u', password_hash: 'zz' }] }, /^users\[0\] 'u': the password hash/],
      [{ users: [{ name: 'u', password_hash: 'zz', hashing_algorithm: 'x' }] }, /'x' is not known/],
      [
        { bindings: [{ source: 'no', vhost: '/', destination: 'q', destination_type: 'queue' }] },
        /^bindings\[0\] 'q': there is no exchange 'no'/,
      ],
      [
        { policies: [{ name: 'p', vhost: '/', pattern: '(', definition: { expires: 1 } }] },
        /^policies\[0\] 'p': pattern/,
      ],
      [
        { policies: [{ name: 'p', vhost: '/', pattern: '', definition: { nonsense: 1 } }] },
        /\[\{<<"nonsense">>,1\}\] are not recognised policy settings/,
      ],
    ];
    for (const [document, message] of cases) assert.match(await refusal(document), message);
  });
});
