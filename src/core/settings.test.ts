import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../test/support/core-harness.ts';

let harness: CoreHarness;

beforeEach(async () => {
  harness = await CoreHarness.open();
});

afterEach(() => harness.close());

describe('SettingsStore', () => {
  it('keeps values by scope, and tells of changes', async () => {
    const { settings, events } = harness.broker;
    const told: string[] = [];
    events.on('settings-changed', ({ scope }) => told.push(scope));
    assert.equal(await settings.alter('group/a b', { x: '1', y: '2' }), 'ok');
    assert.equal(await settings.alter('broker', { x: '3' }), 'ok');
    assert.deepEqual(settings.all('group/a b'), { x: '1', y: '2' });
    assert.equal(settings.get('broker', 'x'), '3');
    assert.equal(settings.get('broker', 'z'), null);
    assert.deepEqual(settings.list('group/'), ['group/a b']);
    assert.deepEqual(told, ['group/a b', 'broker']);
  });

  it('removes values, and scopes that have none left', async () => {
    const { settings } = harness.broker;
    await settings.alter('broker', { x: '1', y: '2' });
    await settings.alter('broker', { x: null, z: null });
    assert.deepEqual(settings.all('broker'), { y: '2' });
    await settings.alter('broker', { y: null });
    assert.deepEqual(settings.list(''), []);
    assert.deepEqual(settings.all('broker'), {});
  });

  it('loses no change of several at once', async () => {
    const { settings } = harness.broker;
    const names = ['a', 'b', 'c', 'd'];
    const outcomes = await Promise.all(
      names.map((name) => settings.alter('broker', { [name]: '1' })),
    );
    assert.deepEqual(new Set(outcomes), new Set(['ok']));
    assert.deepEqual(Object.keys(settings.all('broker')).sort(), names);
  });
});
