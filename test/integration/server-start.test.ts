import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createBroker, LyrebirdError } from '../../src/index.ts';
import { SERVER_DEFAULTS } from '../../src/server/options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { selfSigned } from '../support/self-signed.ts';
import { consume, kafkaOf, numbered, produce } from '../support/kafkajs.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

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

describe('TLS', () => {
  let folder: TempFolder;
  let files: { cert: string; key: string };

  before(async () => {
    folder = await tempFolder();
    files = { cert: join(folder.path, 'cert.pem'), key: join(folder.path, 'key.pem') };
  });

  after(() => folder.remove());

  async function renew(): Promise<string> {
    const { cert, key } = selfSigned();
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    return cert;
  }

  it('carries Kafka', async () => {
    const ca = await renew();
    await using broker = await createBroker({ listeners: { kafka: { tls: files } } });
    const { port } = broker.address();
    assert.equal(broker.url(), `kafka+tls://127.0.0.1:${port}`);
    const kafka = kafkaOf(broker, { ssl: { ca: [ca] } });
    const values = numbered('secret', 300).map((value) => value.padEnd(1500, '.'));
    await produce(kafka, 'private', values);
    const consumed = await consume(kafka, { topic: 'private', group: 'g', count: 300 });
    assert.equal(consumed.length, 300);
  });

  it('carries the admin interface, and takes new certificates while running', async () => {
    const first = await renew();
    const tls = { certFile: files.cert, keyFile: files.key };
    const server = await startServer({
      ...SERVER_DEFAULTS,
      listeners: [{ name: 'admin', scheme: 'admin', host: '127.0.0.1', port: 0, tls }],
    });
    const port = server.listeners[0]?.port ?? 0;
    assert.equal(await probe(port, first), 200);
    const second = await renew();
    await server.reloadCertificates();
    assert.equal(await probe(port, second), 200);
    await assert.rejects(probe(port, first), /certificate/);
    await writeFile(files.key, 'not a key');
    await assert.rejects(server.reloadCertificates(), LyrebirdError);
    assert.equal(await probe(port, second), 200);
    await server.close();
  });
});

function probe(port: number, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/readyz', ca, agent: false },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}
