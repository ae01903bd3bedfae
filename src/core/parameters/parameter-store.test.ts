import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../../test/support/core-harness.ts';

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open();
});

afterEach(() => harness.close());

describe('ParameterStore', () => {
  it('keeps values by namespace and component, and tells of changes', async () => {
    const { parameters, events, namespaces } = harness.broker;
    await namespaces.put('n');
    const told: unknown[] = [];
    events.on('parameter-changed', (change) => told.push(change));
    const parameter = { namespace: 'n', component: 'shovel', name: 'a/b', value: { uri: ['x'] } };
    assert.deepEqual(await parameters.set(parameter), { status: 'ok', created: true });
    assert.deepEqual(await parameters.set(parameter), { status: 'ok', created: false });
    assert.deepEqual(parameters.get('n', 'shovel', 'a/b'), parameter);
    assert.deepEqual(parameters.list({ component: 'shovel' }), [parameter]);
    assert.deepEqual(parameters.list({ namespace: 'default' }), []);
    assert.equal((await parameters.clear('n', 'shovel', 'a/b')).status, 'ok');
    assert.equal((await parameters.clear('n', 'shovel', 'a/b')).status, 'unknown');
    const change = { namespace: 'n', component: 'shovel', name: 'a/b' };
    assert.deepEqual(told, [change, change]);
  });

  it('refuses what the component does not take, and namespaces that are not there', async () => {
    const { parameters } = harness.broker;
    parameters.addCheck('shovel', (_name, value) => (value === 1 ? null : 'one expected'));
    const parameter = { namespace: 'default', component: 'shovel', name: 'a', value: 2 };
    assert.deepEqual(await parameters.set(parameter), {
      status: 'invalid',
      message: 'one expected',
    });
    assert.equal((await parameters.set({ ...parameter, value: 1 })).status, 'ok');
    const elsewhere = { ...parameter, value: 1, namespace: 'x' };
    assert.equal((await parameters.set(elsewhere)).status, 'unknown');
  });

  it('keeps global ones', async () => {
    const { parameters } = harness.broker;
    await parameters.setGlobal('cluster_name', 'x');
    assert.deepEqual(parameters.listGlobal(), [{ name: 'cluster_name', value: 'x' }]);
    await parameters.clearGlobal('cluster_name');
    assert.equal(parameters.getGlobal('cluster_name'), null);
    assert.equal((await parameters.clearGlobal('cluster_name')).status, 'unknown');
  });
});
