import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { FakeTerminal } from '../../test/support/fake-terminal.ts';
import { AdminClient } from './admin-client.ts';
import { runCommandLine } from './command-line.ts';
import { EXIT, type CommandError } from './exit-codes.ts';

/** What the broker of these tests answers to a path, in place of a topic. */
const REFUSALS: Readonly<Record<string, string>> = {
  unknown: 'not-found',
  ordres: 'not-found',
  taken: 'exists',
  secret: 'forbidden',
  many: 'limit',
  broken: 'internal',
  unready: 'unavailable',
};

describe('the exit codes that docs/reference/cli.md promises', () => {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
    if (name === 'silent') return;
    const code = request.method === 'POST' ? undefined : REFUSALS[name];
    const body =
      code === undefined
        ? { topics: [{ name: 'orders' }], name, records: 1, bytes: 1, partitions: 1, overrides: {} }
        : { error: { code, message: 'because' } };
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      const refusal =
        text === '' ? undefined : REFUSALS[(JSON.parse(text) as { name: string }).name];
      const answer =
        refusal === undefined ? body : { error: { code: refusal, message: 'because' } };
      response.writeHead('error' in answer ? 400 : 200).end(JSON.stringify(answer));
    });
  });
  let address = '';

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function run(...args: string[]): Promise<number> {
    return runCommandLine(args, new FakeTerminal({ environment: { LYREBIRD_SERVER: address } }));
  }

  test('the page lists every code and no other', () => {
    const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');
    const section = page.split('### Exit codes')[1]?.split('###')[0] ?? '';
    const listed = [...section.matchAll(/^- (\d+) /gm)].map((match) => Number(match[1]));
    assert.deepEqual(listed, Object.values(EXIT));
  });

  test('0 to 9 and 130', async () => {
    assert.equal(await run('topic', 'list'), 0);
    assert.equal(await run('topic', 'describe', 'broken'), 1);
    assert.equal(await run('topic', 'describe'), 2);
    assert.equal(await run('topic', 'list', '-o', 'xml'), 2);
    assert.equal(await run('topic', 'list', '-o', 'template'), 2);
    assert.equal(await run('topic', 'describe', 'unknown'), 3);
    assert.equal(await run('topic', 'create', 'taken'), 4);
    assert.equal(await run('topic', 'describe', 'secret'), 5);
    assert.equal(await run('topic', 'describe', 'unready'), 6);
    assert.equal(await run('topic', 'create', 'many'), 8);
    assert.equal(await run('topic', 'delete', 'orders'), 8, 'nobody answers the question');
    assert.equal(await run('topic', 'create', 'orders', 'taken'), 9);
    assert.equal(await run('topic', 'create', 'taken', 'many'), 4, 'nothing was done: the first');
    const silent = new AdminClient(address, 50).get('/topics/silent');
    await assert.rejects(silent, (error) => (error as CommandError).exitCode === 7);
  });

  test('130 when a watched list is interrupted', async () => {
    const terminal = new FakeTerminal({ environment: { LYREBIRD_SERVER: address } });
    const print = terminal.out.bind(terminal);
    let printed = 0;
    terminal.out = (data) => {
      print(data);
      if (++printed === 2) process.emit('SIGINT');
    };
    const code = await runCommandLine(
      ['topic', 'list', '-o', 'name', '--watch', '100ms'],
      terminal,
    );
    assert.equal(code, 130);
    assert.equal(terminal.stdout, 'orders\norders\n');
    assert.equal(await run('topic', 'list', '--watch', '1ms'), 2);
  });

  test('a name that was nearly right gets a suggestion', async () => {
    const terminal = new FakeTerminal({ environment: { LYREBIRD_SERVER: address } });
    await runCommandLine(['topic', 'describe', 'ordres'], terminal);
    assert.match(terminal.stderr, /did you mean orders\?/);
  });
});
