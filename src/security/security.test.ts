import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { CoreHarness } from '../../test/support/core-harness.ts';
import { ANONYMOUS, userPrincipal } from './principal.ts';
import type { Security } from './security.ts';

const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

let harness: CoreHarness;
let security: Security;

beforeEach(async () => {
  harness = await CoreHarness.open();
  ({ security } = harness.broker);
});

afterEach(() => harness.close());

async function user(name: string, rights: Partial<typeof EVERYTHING>): Promise<void> {
  await security.users.put(name, { password: { kind: 'text', text: 'secret' } });
  const permission = { configure: '', write: '', read: '', ...rights };
  const outcome = await security.permissions.set({
    namespace: 'default',
    user: name,
    ...permission,
  });
  assert.equal(outcome.status, 'ok');
}

function allows(
  name: string,
  operation: 'configure' | 'write' | 'read' | 'describe',
  resource: 'queue' | 'exchange' | 'topic' | 'cluster',
  resourceName: string,
): boolean {
  return security.authorizer.allows({
    principal: userPrincipal(name),
    host: '127.0.0.1',
    operation,
    resource,
    namespace: 'default',
    name: resourceName,
  });
}

describe('users', () => {
  it('begins with guest, who may do everything', () => {
    assert.deepEqual(security.users.get('guest')?.tags, ['administrator']);
    assert(allows('guest', 'configure', 'queue', 'anything'));
    assert(allows('guest', 'configure', 'cluster', 'cluster'));
  });

  it('keeps what is not changed', async () => {
    await security.users.put('a', {
      password: { kind: 'text', text: 'secret' },
      tags: ['monitoring'],
      limits: { maxConnections: 5 },
    });
    const before = security.users.get('a');
    assert.deepEqual(await security.users.put('a', { limits: { maxChannels: 2 } }), {
      status: 'ok',
      created: false,
    });
    assert.deepEqual(security.users.get('a'), {
      ...before,
      limits: { maxConnections: 5, maxChannels: 2 },
    });
  });

  it('refuses what is no user', async () => {
    for (const [name, changes] of [
      ['', {}],
      ['x'.repeat(256), {}],
      ['\ud800', {}],
      ['a', { password: { kind: 'text', text: '' } }],
      ['a', { limits: { maxChannels: -1 } }],
      ['a', { limits: { maxChannels: 1.5 } }],
    ] as const) {
      assert.equal((await security.users.put(name, changes)).status, 'invalid', name);
    }
  });

  it('deletes a user with all permissions', async () => {
    await user('a', EVERYTHING);
    const rule = { namespace: 'default', user: 'a', exchange: 'amq.topic', write: '', read: '' };
    await security.permissions.setTopic(rule);
    assert.equal((await security.deleteUser('a')).status, 'ok');
    assert.equal(security.permissions.get('default', 'a'), null);
    assert.equal(security.permissions.getTopic('default', 'a', 'amq.topic'), null);
    assert(!allows('a', 'read', 'queue', 'q'));
    assert.deepEqual(await security.deleteUser('a'), { status: 'unknown', what: 'user' });
  });

  it('counts changes, and tells of them', async () => {
    const told: unknown[] = [];
    harness.broker.events.on('security-changed', (change) => told.push(change));
    const before = security.revision;
    await security.users.put('a', {});
    const created = security.revision;
    assert(created > before);
    await security.deleteUser('a');
    assert(security.revision > created);
    assert.deepEqual(told, [
      { user: 'a', deleted: false },
      { user: 'a', deleted: true },
    ]);
  });
});

describe('permissions', () => {
  it('asks for a user and a namespace that exist, and for patterns', async () => {
    const { permissions } = security;
    const rule = { namespace: 'default', user: 'guest', ...EVERYTHING };
    assert.deepEqual(await permissions.set({ ...rule, user: 'x' }), {
      status: 'unknown',
      what: 'user',
    });
    assert.deepEqual(await permissions.set({ ...rule, namespace: 'x' }), {
      status: 'unknown',
      what: 'namespace',
    });
    assert.equal((await permissions.set({ ...rule, read: '(' })).status, 'invalid');
  });

  it('searches without anchors; an empty pattern is nothing', async () => {
    await user('a', { configure: 'b', write: '^b$' });
    assert(allows('a', 'configure', 'queue', 'abc'));
    assert(!allows('a', 'write', 'queue', 'abc'));
    assert(allows('a', 'write', 'queue', 'b'));
    assert(!allows('a', 'read', 'queue', 'abc'));
    assert(allows('a', 'describe', 'queue', 'abc'));
    assert(!allows('a', 'describe', 'queue', 'acc'));
  });

  it('calls the default exchange amq.default', async () => {
    await user('a', { write: '^amq\\.default$' });
    assert(allows('a', 'write', 'exchange', ''));
    assert(!allows('a', 'write', 'queue', ''));
    await user('b', {});
    assert(!allows('b', 'write', 'exchange', ''));
  });

  it('gives nothing in other namespaces', async () => {
    await harness.broker.namespaces.put('other');
    await user('a', EVERYTHING);
    const { authorizer } = security;
    assert(authorizer.mayEnter(userPrincipal('a'), 'default'));
    assert(!authorizer.mayEnter(userPrincipal('a'), 'other'));
    assert(authorizer.mayEnter(ANONYMOUS, 'other'));
  });

  it('lets whoever did not log in do everything, but nobody who is merely called so', async () => {
    const request = {
      host: '127.0.0.1',
      operation: 'configure',
      resource: 'queue',
      namespace: 'default',
      name: 'q',
    } as const;
    assert(security.authorizer.allows({ ...request, principal: ANONYMOUS }));
    assert(security.authorizer.isUnrestricted(ANONYMOUS));
    await security.users.put('ANONYMOUS', {});
    const impostor = userPrincipal('ANONYMOUS');
    assert(!security.authorizer.isUnrestricted(impostor));
    assert(!security.authorizer.allows({ ...request, principal: impostor }));
  });

  it('decides as a naive search does', async () => {
    const patterns = ['', '.*', '^a', 'b$', '^(a|b)$', '^amq\\.gen', '[ab]c', '^$'];
    const names = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...patterns), names, async (pattern, name) => {
        await user('p', { read: pattern });
        const expected = new RegExp(pattern === '' ? '^$' : pattern).test(name);
        assert.equal(allows('p', 'read', 'queue', name), expected);
      }),
    );
  });
});

describe('topic permissions', () => {
  const topic = {
    principal: userPrincipal('a'),
    namespace: 'default',
    exchange: 'amq.topic',
    operation: 'write',
  } as const;

  it('allow everything where there is no rule', async () => {
    await user('a', EVERYTHING);
    assert(security.authorizer.allowsTopic({ ...topic, routingKey: 'x.y' }));
  });

  it('put variables in as text', async () => {
    await user('a', EVERYTHING);
    await security.permissions.setTopic({
      namespace: 'default',
      user: 'a',
      exchange: 'amq.topic',
      write: '^{username}\\.{client_id}\\.',
      read: '',
    });
    const variables = { client_id: '.*' };
    const { authorizer } = security;
    assert(authorizer.allowsTopic({ ...topic, variables, routingKey: 'a..*.x' }));
    assert(!authorizer.allowsTopic({ ...topic, variables, routingKey: 'a.other.x' }));
    assert(!authorizer.allowsTopic({ ...topic, operation: 'read', routingKey: 'a.b.x' }));
  });

  it('are cleared one by one or all together', async () => {
    const { permissions } = security;
    for (const exchange of ['x', 'y', 'z']) {
      const rule = { namespace: 'default', user: 'guest', exchange, write: '', read: '' };
      await permissions.setTopic(rule);
    }
    assert.equal((await permissions.clearTopic('default', 'guest', 'x')).status, 'ok');
    assert.equal(permissions.listTopics().length, 2);
    assert.equal((await permissions.clearTopic('default', 'guest', 'x')).status, 'unknown');
    assert.equal((await permissions.clearTopic('default', 'guest', null)).status, 'ok');
    assert.deepEqual(permissions.listTopics(), []);
  });
});
