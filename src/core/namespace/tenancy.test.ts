import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SeededRandom } from '../../base/random.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import { EventBus } from '../events.ts';
import { Tenancy } from './tenancy.ts';

let harness: CoreHarness;
const open: Tenancy[] = [];

beforeEach(async () => {
  harness = await CoreHarness.open();
});

afterEach(async () => {
  for (const tenancy of open.splice(0)) tenancy.close();
  await harness.close();
});

/** Another broker on the same metadata: what a restart finds. */
async function restarted(): Promise<Tenancy> {
  const tenancy = new Tenancy({
    meta: harness.engine.meta,
    clock: harness.clock,
    random: new SeededRandom(3),
    logger: silentLogger,
    events: new EventBus(silentLogger),
    security: {},
  });
  open.push(tenancy);
  await tenancy.load();
  return tenancy;
}

describe('namespaces', () => {
  it('begin with one that cannot be deleted', async () => {
    const { namespaces } = harness.broker;
    assert.deepEqual(
      namespaces.list().map(({ name }) => name),
      ['default'],
    );
    assert.equal((await namespaces.delete('default')).status, 'invalid');
    assert(namespaces.has('default'));
  });

  it('are created and changed, and tell so', async () => {
    const { namespaces, events } = harness.broker;
    const told: string[] = [];
    events.on('namespace-created', ({ namespace }) => told.push(`+${namespace.name}`));
    events.on('namespace-changed', ({ namespace }) => told.push(`=${namespace.description}`));
    events.on('namespace-deleted', ({ name }) => told.push(`-${name}`));
    assert.deepEqual(await namespaces.put('a/b c'), { status: 'ok', created: true });
    const outcome = await namespaces.put('a/b c', {
      description: 'text',
      tags: ['t'],
      limits: { maxQueues: 3 },
    });
    assert.deepEqual(outcome, { status: 'ok', created: false });
    assert.deepEqual(namespaces.get('a/b c')?.limits, { maxConnections: null, maxQueues: 3 });
    assert.deepEqual(namespaces.get('a/b c')?.tags, ['t']);
    assert.equal((await namespaces.delete('a/b c')).status, 'ok');
    assert.equal((await namespaces.delete('a/b c')).status, 'unknown');
    assert.deepEqual(told, ['+a/b c', '=text', '-a/b c']);
  });

  it('refuse what is no name or limit', async () => {
    const { namespaces } = harness.broker;
    assert.equal((await namespaces.put('')).status, 'invalid');
    assert.equal((await namespaces.put('x', { limits: { maxQueues: -1 } })).status, 'invalid');
    assert(!namespaces.has('x'));
  });

  it('are deleted with everything in them', async () => {
    const { namespaces, security, policies, parameters, topics } = harness.broker;
    await namespaces.put('n');
    const topic = await harness.topic('t');
    const { config, overrides } = topic;
    await topics.create({ namespace: 'n', name: 't', partitions: 1, config, overrides });
    const rights = { configure: '', write: '', read: '' };
    await security.permissions.set({ namespace: 'n', user: 'guest', ...rights });
    await policies.set('policy', {
      namespace: 'n',
      name: 'p',
      pattern: '.*',
      applyTo: 'all',
      priority: 0,
      definition: { expires: 1 },
    });
    await parameters.set({ namespace: 'n', component: 'c', name: 'x', value: 1 });
    await namespaces.delete('n');
    assert.deepEqual(topics.list('n'), []);
    assert.equal(topics.list('default').length, 1);
    assert.equal(security.permissions.get('n', 'guest'), null);
    assert.notEqual(security.permissions.get('default', 'guest'), null);
    assert.deepEqual(policies.list('policy', 'n'), []);
    assert.deepEqual(parameters.list(), []);
  });

  it('whose deletion failed are gone, and deleted when it is tried again', async () => {
    const { namespaces } = harness.broker;
    let failing = true;
    namespaces.addCleaner(() => (failing ? Promise.reject(new Error('no')) : Promise.resolve()));
    await namespaces.put('n');
    await assert.rejects(namespaces.delete('n'), /no/);
    assert(!namespaces.has('n'));
    assert.deepEqual(
      namespaces.list().map(({ name }) => name),
      ['default'],
    );
    assert.equal((await namespaces.put('n')).status, 'invalid');
    const next = await restarted();
    assert(!next.namespaces.has('n'));
    await next.namespaces.resumeDeletions();
    failing = false;
    assert.deepEqual(await namespaces.put('n'), { status: 'ok', created: true });
  });
});

describe('a restart', () => {
  it('finds what was made', async () => {
    const { namespaces, security } = harness.broker;
    await namespaces.put('n', { metadata: { a: [1, { b: null }] }, tracing: true });
    await security.users.put('u', { tags: ['x'] });
    const next = await restarted();
    assert.deepEqual(next.namespaces.list(), namespaces.list());
    assert.deepEqual(next.security.users.list(), security.users.list());
    assert.deepEqual(next.security.permissions.list(), security.permissions.list());
  });

  it('does not bring a deleted guest back', async () => {
    await harness.broker.security.deleteUser('guest');
    const next = await restarted();
    assert.equal(next.security.users.get('guest'), null);
  });

  it('sees what others change meanwhile', async () => {
    const next = await restarted();
    await harness.broker.security.users.put('late', {});
    assert.notEqual(next.security.users.get('late'), null);
  });
});

describe('usage', () => {
  it('holds connections and channels to their limits', async () => {
    const { namespaces, security, usage } = harness.broker;
    await namespaces.put('default', { limits: { maxConnections: 2 } });
    await security.users.put('u', { limits: { maxConnections: 1, maxChannels: 1 } });
    const first = usage.openConnection('u', 'default');
    assert(first.status === 'ok');
    assert.deepEqual(usage.openConnection('u', 'default'), {
      status: 'refused',
      scope: 'user',
      limit: 1,
    });
    assert.equal(usage.openConnection('guest', 'default').status, 'ok');
    assert.deepEqual(usage.openConnection('guest', 'default'), {
      status: 'refused',
      scope: 'namespace',
      limit: 2,
    });
    first.release();
    first.release();
    assert.equal(usage.connectionsOfNamespace('default'), 1);
    assert.equal(usage.connectionsOfUser('u'), 0);
    const channel = usage.openChannel('u');
    assert(channel.status === 'ok');
    assert.equal(usage.openChannel('u').status, 'refused');
    channel.release();
    assert.equal(usage.openChannel('u').status, 'ok');
  });
});
