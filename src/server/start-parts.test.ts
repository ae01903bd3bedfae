import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { loadConfig } from '../config/index.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { serverOptions } from './from-config.ts';
import { planListeners } from './listener-plan.ts';
import { SERVER_DEFAULTS } from './options.ts';
import { findPortOwner } from './port-owner.ts';
import { UndoStack } from './undo-stack.ts';

function configured(flags: Record<string, unknown>) {
  const loaded = loadConfig({
    file: null,
    environment: {},
    flags: Object.entries(flags).map(([key, value]) => ({ key, value, flag: '--set' })),
  });
  return serverOptions(loaded, silentLogger);
}

describe('serverOptions', () => {
  it('without configuration means the defaults of embedded brokers, but on disk', () => {
    const { storage, shownConfig, limits, ...rest } = configured({});
    const { storage: _memory, shownConfig: _none, limits: expected, ...defaults } = SERVER_DEFAULTS;
    assert.equal(storage.kind, 'disk');
    assert.ok(shownConfig.some(({ name, origin }) => name === 'node.id' && origin === 'default'));
    assert.deepEqual(limits, expected);
    const { brokerConfigs, dataFolder, ...kafka } = rest.protocols.kafka;
    assert.equal(dataFolder, './lyrebird-data');
    assert.equal(brokerConfigs['group.max.size'], '10000');
    assert.deepEqual({ ...defaults.protocols.kafka, ...kafka }, defaults.protocols.kafka);
    assert.equal(rest.heldBytesMax, defaults.heldBytesMax);
    assert.equal(rest.shutdownTimeoutMs, defaults.shutdownTimeoutMs);
  });

  it('advertises addresses for one listener or for all', () => {
    const options = configured({
      listeners: 'kafka://127.0.0.1:1?name=inside,kafka://127.0.0.1:2?name=outside',
      'kafka.advertised': 'broker.local:9,outside=[2001:db8::1]:10',
    });
    assert.deepEqual(options.protocols.kafka.advertised, {
      inside: { host: 'broker.local', port: 9 },
      outside: { host: '2001:db8::1', port: 10 },
    });
    assert.throws(() => configured({ 'kafka.advertised': 'nowhere=h:1' }), /no Kafka listener/);
  });
});

describe('planListeners', () => {
  it('opens the usual ports on loopback when nothing is asked for', () => {
    assert.deepEqual(
      planListeners([]).map(({ scheme, host, port }) => [scheme, host, port]),
      [
        ['kafka', '127.0.0.1', 9092],
        ['amqp', '127.0.0.1', 5672],
        ['management', '127.0.0.1', 15672],
        ['amqp-metrics', '127.0.0.1', 15692],
        ['admin', '127.0.0.1', 9644],
      ],
    );
  });

  it('keeps port 0, and refuses what is not spoken', () => {
    const spec = { name: 'a', scheme: 'kafka', host: '127.0.0.1', port: 0, tls: null };
    assert.equal(planListeners([spec])[0]?.port, 0);
    assert.throws(
      () => planListeners([{ ...spec, scheme: 'gopher' }]),
      /known: kafka, amqp, management, amqp-metrics, admin/,
    );
  });
});

describe('findPortOwner', () => {
  it('finds this process', { skip: process.platform !== 'linux' }, async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.equal((await findPortOwner(port))?.pid, process.pid);
    server.close();
    await once(server, 'close');
    assert.equal(await findPortOwner(port), null);
  });
});

describe('UndoStack', () => {
  it('undoes in reverse order, whatever fails', async () => {
    const done: number[] = [];
    const errors: unknown[] = [];
    const undo = new UndoStack();
    undo.push(() => void done.push(1));
    undo.push(() => {
      throw new Error('two');
    });
    undo.push(async () => void done.push(3));
    await undo.run((error) => void errors.push(error));
    assert.deepEqual(done, [3, 1]);
    assert.equal(errors.length, 1);
  });
});
