import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FakeTerminal } from '../../test/support/fake-terminal.ts';
import { runCommandLine } from './command-line.ts';

const home = mkdtempSync(join(tmpdir(), 'lyrebird-test-'));
after(() => rmSync(home, { recursive: true }));

async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const terminal = new FakeTerminal({ environment: { XDG_CONFIG_HOME: home, ...more } });
  const code = await runCommandLine(args, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

/** The address that status tried: nobody listens on any of them. */
async function tried(args: readonly string[], more?: Readonly<Record<string, string>>) {
  const { code, stderr } = await run(['status', ...args], more);
  assert.equal(code, 6, stderr);
  return /broker at http:\/\/127\.0\.0\.1:(\d+)/.exec(stderr)?.[1];
}

describe('contexts', () => {
  test('are added, listed, used, shown and removed', async () => {
    assert.equal((await run(['context', 'show'])).code, 3);
    const one = ['context', 'add', 'one', '--server', 'http://127.0.0.1:1'];
    assert.match((await run(one)).stderr, /added context one, in use/);
    const broker = ['-b', '127.0.0.1:1'];
    await run(['context', 'add', 'two', '--server', '127.0.0.1:2', ...broker, '--tls']);
    assert.equal((await run(one)).code, 4);
    assert.equal((await run([...one, '--force'])).code, 0);
    assert.equal(
      (await run(['context', 'list'])).stdout,
      'NAME  CURRENT  SERVER              BROKER\n' +
        'one   *        http://127.0.0.1:1  -\n' +
        'two            127.0.0.1:2         127.0.0.1:1\n',
    );
    assert.match((await run(['context', 'show', 'two'])).stdout, /^tls +true$/m);
    await run(['context', 'use', 'two']);
    await run(['context', 'use', '-']);
    assert.match((await run(['context', 'show', '-o', 'yaml'])).stdout, /127\.0\.0\.1:1/);
    const unknown = await run(['context', 'use', 'tow']);
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /did you mean two\?/);
  });

  test('only their owner can read the file', { skip: process.platform === 'win32' }, () => {
    assert.equal(statSync(join(home, 'lyrebird', 'contexts.json')).mode & 0o777, 0o600);
    assert.equal(statSync(join(home, 'lyrebird')).mode & 0o777, 0o700);
  });

  test('a flag goes before --context, before the environment, before the one in use', async () => {
    const server = { LYREBIRD_SERVER: 'http://127.0.0.1:3' };
    assert.equal(await tried([]), '1');
    assert.equal(await tried([], { LYREBIRD_CONTEXT: 'two' }), '2');
    assert.equal(await tried([], { ...server, LYREBIRD_CONTEXT: 'two' }), '3');
    assert.equal(await tried(['--context', 'two'], server), '2');
    assert.equal(await tried(['--context', 'two', '--server', '127.0.0.1:4'], server), '4');
    assert.equal((await run(['status', '--context', 'none'])).code, 3);
  });

  test('pub and sub take the broker of the context', async () => {
    const { code, stderr } = await run(['pub', 't', 'x', '--context', 'two', '--timeout', '1s']);
    assert.equal(code, 6);
    assert.match(stderr, /127\.0\.0\.1:1/);
  });

  test('what cannot be stored is refused', async () => {
    assert.equal((await run(['context', 'add', 'a b', '--server', 'x'])).code, 2);
    assert.equal((await run(['context', 'add', 'a'])).code, 2);
    assert.equal((await run(['context', 'add', 'a', '--server', 'http://'])).code, 2);
    assert.equal((await run(['context', 'add', 'a', '-b', 'x:y'])).code, 2);
    assert.equal((await run(['context', 'rm', 'one'])).code, 0);
    assert.equal((await run(['context', 'show'])).code, 3);
    const nowhere = new FakeTerminal();
    assert.equal(await runCommandLine(['context', 'add', 'a', '--server', 'x'], nowhere), 1);
  });
});
