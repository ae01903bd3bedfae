import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createBroker, LyrebirdError } from '../../src/index.ts';
import { selfSigned } from '../support/self-signed.ts';
import { consume, kafkaOf, numbered, produce } from '../support/kafkajs.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function failure(start: Promise<unknown>): Promise<LyrebirdError> {
  try {
    await start;
  } catch (error) {
    if (error instanceof LyrebirdError) return error;
    throw error;
  }
  throw new Error('the start succeeded');
}

describe('a start that cannot succeed', () => {
  it('names who has the port, and releases the data folder', async () => {
    const folder = await tempFolder();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const storage = { path: folder.path };
    const error = await failure(
      createBroker({ storage, listeners: { admin: {}, kafka: { port } } }),
    );
    assert.equal(error.code, 'LB1002');
    if (process.platform === 'linux') assert.equal(error.details.pid, process.pid);
    other.close();
    const broker = await createBroker({ storage, listeners: { kafka: { port } } });
    assert.equal(broker.address().port, port);
    await broker.close();
    await folder.remove();
  });

  it('names who holds the data folder', async () => {
    const folder = await tempFolder();
    const storage = { path: folder.path };
    const broker = await createBroker({ storage });
    const error = await failure(createBroker({ storage }));
    assert.equal(error.code, 'LB1003');
    await broker.close();
    await (await createBroker({ storage })).close();
    await folder.remove();
  });

  it('refuses listeners that others reach, unless that is accepted', async () => {
    const listeners = { kafka: { host: '0.0.0.0' } };
    assert.equal((await failure(createBroker({ listeners }))).code, 'LB1004');
    const broker = await createBroker({
      listeners,
      settings: { 'security.anonymous': 'allow' },
    });
    assert.ok(broker.address().port > 0);
    await broker.close();
  });

  it('refuses schemes that are not spoken, and certificates that do not exist', async () => {
    assert.equal((await failure(createBroker({ listeners: { gopher: {} } }))).code, 'LB1001');
    const tls = { cert: '/nonexistent/cert.pem', key: '/nonexistent/key.pem' };
    assert.equal((await failure(createBroker({ listeners: { kafka: { tls } } }))).code, 'LB4001');
  });
});

describe('Kafka over TLS', () => {
  it('produces and consumes', async () => {
    const folder = await tempFolder();
    const { cert, key } = selfSigned();
    const files = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    const broker = await createBroker({ listeners: { kafka: { tls: files } } });
    const { port } = broker.address();
    assert.equal(broker.url(), `kafka+tls://127.0.0.1:${port}`);
    const kafka = kafkaOf(broker, { ssl: { ca: [cert] } });
    const values = numbered('secret', 300).map((value) => value.padEnd(1500, '.'));
    await produce(kafka, 'private', values);
    const consumed = await consume(kafka, { topic: 'private', group: 'g', count: 300 });
    assert.equal(consumed.length, 300);
    await broker.close();
    await folder.remove();
  });
});
