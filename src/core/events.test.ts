import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../telemetry/logger.ts';
import { EventBus } from './events.ts';

describe('EventBus', () => {
  it('tells all listeners in order, also when one throws, until they unsubscribe', () => {
    const errors: string[] = [];
    const bus = new EventBus({ ...silentLogger, error: (event) => errors.push(event) });
    const heard: string[] = [];
    bus.on('disk-state', ({ state }) => heard.push(`first ${state}`));
    const unsubscribe = bus.on('disk-state', () => {
      throw new Error('on purpose');
    });
    bus.on('disk-state', ({ state }) => heard.push(`last ${state}`));
    bus.emit('disk-state', { state: 'warn' });
    assert.deepEqual(heard, ['first warn', 'last warn']);
    assert.deepEqual(errors, ['events.listener-failed']);
    unsubscribe();
    unsubscribe();
    bus.emit('disk-state', { state: 'ok' });
    assert.equal(errors.length, 1);
    assert.equal(heard.length, 4);
    bus.emit('settings-changed', { scope: 'broker' });
    assert.equal(heard.length, 4);
  });
});
