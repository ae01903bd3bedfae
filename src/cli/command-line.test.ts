import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { FakeTerminal } from '../../test/support/fake-terminal.ts';
import { buildProgram, runCommandLine } from './command-line.ts';
import type { Command } from 'commander';

async function run(
  args: readonly string[],
  options: ConstructorParameters<typeof FakeTerminal>[0] = {},
) {
  const terminal = new FakeTerminal(options);
  const code = await runCommandLine(args, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

describe('help and usage', () => {
  test('every command shows examples first and takes --help', async () => {
    const paths: string[][] = [];
    const walk = (command: Command, path: string[]): void => {
      if (path.length > 0) paths.push(path);
      for (const sub of command.commands) walk(sub, [...path, sub.name()]);
    };
    walk(buildProgram(new FakeTerminal()), []);
    assert.ok(paths.length > 25);
    for (const path of paths) {
      const { code, stdout } = await run([...path, '--help']);
      assert.equal(code, 0, path.join(' '));
      assert.match(stdout, /Usage: lyrebird /);
    }
    assert.match(
      (await run(['topic', 'create', '--help'])).stdout,
      /^Examples:\n {2}lyrebird topic create/,
    );
  });

  test('a mistyped command or flag gets a suggestion and exit code 2', async () => {
    const command = await run(['topics', 'list']);
    assert.equal(command.code, 2);
    assert.match(command.stderr, /unknown command 'topics'\n\(Did you mean topic\?\)/);
    const flag = await run(['topic', 'create', 't', '--partition', '3']);
    assert.equal(flag.code, 2);
    assert.match(flag.stderr, /--partitions/);
    assert.equal((await run(['topic', 'create'])).code, 2);
    assert.equal((await run(['topic', 'add-partitions', 't'])).code, 2);
    assert.equal((await run(['sub', 't', '-f', '%z'])).code, 2);
    assert.equal((await run(['bench', 'pub', '--msgs', '1', '--num-records', '1'])).code, 2);
  });

  test('docs/reference/cli.md is what reference prints', async () => {
    const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');
    const { stdout } = await run(['reference']);
    assert.equal(
      page,
      stdout,
      'run: npm run build && bin/lyrebird reference > docs/reference/cli.md',
    );
  });

  test('version, explain and completion need no broker', async () => {
    assert.match((await run(['version'])).stdout, /^lyrebird \d+\.\d+\.\d+\n$/);
    assert.equal((await run(['--version'])).code, 0);
    const version = JSON.parse((await run(['version', '--json'])).stdout) as Record<string, string>;
    assert.equal(version['apiVersion'], 'v1');
    assert.match(
      (await run(['explain', 'LB1002'])).stdout,
      /^LB1002: listener address is taken\n\n/,
    );
    assert.match((await run(['explain', '1002'])).stdout, /^LB1002/);
    assert.match((await run(['explain'])).stdout, /^LB1001 +configuration is invalid$/m);
    assert.equal((await run(['explain', 'LB9999'])).code, 3);
    for (const shell of ['bash', 'zsh', 'fish']) {
      assert.match((await run(['completion', shell])).stdout, /add-partitions/);
    }
    assert.equal((await run(['completion', 'tcsh'])).code, 2);
  });

  test('the completion script is valid bash and completes', { skip: !hasBash() }, async () => {
    const { stdout } = await run(['completion', 'bash']);
    const check = (words: string[]): string[] => {
      const setup = `COMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}; _lyrebird`;
      const result = spawnSync('bash', ['-c', `${stdout}\n${setup}; echo "\${COMPREPLY[@]}"`], {
        encoding: 'utf8',
      });
      assert.equal(result.stderr, '');
      return result.stdout.trim().split(' ');
    };
    assert.ok(check(['lyrebird']).includes('topic'));
    assert.ok(check(['lyrebird', 'topic']).includes('create'));
    assert.ok(check(['lyrebird', 'topic', 'create', 'orders']).includes('--partitions'));
  });
});

function hasBash(): boolean {
  return spawnSync('bash', ['--version']).status === 0;
}

describe('config', () => {
  test('show says where values come from', async () => {
    const { stdout } = await run(
      ['config', 'show', '--origin', '--changed', '--set', 'node.id=4'],
      {
        environment: { LYREBIRD_LOG__LEVEL: 'debug' },
      },
    );
    assert.equal(
      stdout,
      'KEY        VALUE  ORIGIN\n' +
        'node.id    4      flag --set\n' +
        'log.level  debug  environment LYREBIRD_LOG__LEVEL\n',
    );
  });

  test('get, validate, schema and reference', async () => {
    assert.equal((await run(['config', 'get', 'storage.durability'])).stdout, 'fsync\n');
    const unknown = await run(['config', 'get', 'storage.durabilty']);
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /did you mean storage\.durability\?/);
    assert.equal((await run(['config', 'validate'])).code, 0);
    const invalid = await run(['config', 'validate', '--set', 'a.b=1', '--set', 'node.id=x']);
    assert.equal(invalid.code, 1);
    assert.equal(invalid.stdout.split('\n').length, 2);
    assert.match((await run(['config', 'schema'])).stdout, /"auto_create_topics"/);
    assert.match((await run(['config', 'reference'])).stdout, /^# Configuration\n/);
  });
});

describe('the admin API of a broker', () => {
  const requests: { method: string; url: string; body: unknown }[] = [];
  let respond: (request: { method: string; url: string }) => { status: number; body?: unknown };
  let server: ReturnType<typeof createServer>;
  let address = '';

  before(async () => {
    server = createServer((request, response) => {
      void readBody(request).then((body) => {
        const seen = { method: request.method ?? '', url: request.url ?? '', body };
        requests.push(seen);
        const answer = respond(seen);
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  const topic = {
    name: 'orders',
    id: 'x',
    namespace: 'default',
    partitions: 3,
    internal: false,
    records: 7,
    bytes: 2048,
    partitionList: [],
    overrides: {},
  };

  test('lists are tables, JSON, lines, CSV or names', async () => {
    respond = () => ({ status: 200, body: { topics: [topic, { ...topic, name: 'audit' }] } });
    const environment = { LYREBIRD_SERVER: address };
    const table = await run(['topic', 'list', 'or*'], { environment });
    assert.equal(
      table.stdout,
      'NAME    PARTITIONS  RECORDS  SIZE\norders           3        7  2KiB\n',
    );
    const json = await run(['topic', 'list', '--json'], { environment });
    assert.equal((JSON.parse(json.stdout) as { topics: unknown[] }).topics.length, 2);
    assert.equal(
      (await run(['topic', 'list', '-o', 'name'], { environment })).stdout,
      'orders\naudit\n',
    );
    assert.match(
      (await run(['topic', 'list', '-o', 'csv'], { environment })).stdout,
      /^name,partitions,/,
    );
    const lines = await run(['topic', 'list', '-o', 'ndjson'], { environment });
    assert.equal(lines.stdout.trim().split('\n').length, 2);
    assert.equal((await run(['topic', 'list', '-o', 'xml'], { environment })).code, 2);
  });

  test('destructive commands ask, or need --yes', async () => {
    respond = ({ method }) =>
      method === 'DELETE' ? { status: 204 } : { status: 200, body: topic };
    const args = ['topic', 'delete', 'orders', '--server', address];
    requests.length = 0;
    const refused = await run(args);
    assert.equal(refused.code, 8);
    assert.match(refused.stderr, /would delete topic orders \(7 records, 2KiB\).*\n.*--yes/);
    const dry = await run([...args, '--dry-run']);
    assert.equal(dry.code, 0);
    assert.equal((await run(args, { answers: ['n'] })).code, 8);
    assert.equal(requests.filter(({ method }) => method === 'DELETE').length, 0);
    assert.equal((await run(args, { answers: ['y'] })).code, 0);
    assert.equal((await run([...args, '--yes'])).code, 0);
    assert.equal(requests.filter(({ method }) => method === 'DELETE').length, 2);
  });

  test('errors of the broker become exit codes', async () => {
    for (const [code, exit] of [
      ['not-found', 3],
      ['exists', 4],
      ['forbidden', 5],
      ['unavailable', 6],
      ['limit', 8],
      ['LB3001', 1],
    ] as const) {
      respond = () => ({ status: 400, body: { error: { code, message: 'because' } } });
      const result = await run(['topic', 'create', 't', '--server', address]);
      assert.equal(result.code, exit, code);
      assert.equal(result.stderr, `error[${code}]: because\n`);
    }
    respond = () => ({ status: 409, body: { error: { code: 'exists', message: 'x' } } });
    assert.equal(
      (await run(['topic', 'create', 't', '--if-not-exists', '--server', address])).code,
      0,
    );
    const nobody = await run(['status', '--server', 'http://127.0.0.1:1']);
    assert.equal(nobody.code, 6);
    assert.match(nobody.stderr, /ECONNREFUSED\n.*lyrebird start/);
    assert.equal((await run(['status', '--server', 'http://'])).code, 2);
  });

  test('group seek only looks until --yes, and reads all its targets', async () => {
    respond = () => ({
      status: 200,
      body: { dryRun: true, offsets: [{ topic: 't', partition: 0, from: 5, to: 0, error: null }] },
    });
    const args = ['group', 'seek', 'g', '--server', address];
    const body = async (...more: string[]): Promise<unknown> => {
      requests.length = 0;
      const result = await run([...args, ...more]);
      assert.equal(result.code, 0, result.stderr);
      return requests[0]?.body;
    };
    assert.deepEqual(await body('--to', 'earliest'), { target: { to: 'earliest' }, dryRun: true });
    assert.deepEqual(await body('--to', '42', '--yes'), { target: { offset: 42 }, dryRun: false });
    assert.deepEqual(await body('--shift', '-3', '-t', 'a:0-2', '-t', 'b'), {
      target: { shift: -3 },
      dryRun: true,
      topics: [{ topic: 'a', partitions: [0, 1, 2] }, { topic: 'b' }],
    });
    assert.deepEqual(await body('--to', '2026-11-21T00:00:00Z'), {
      target: { time: Date.UTC(2026, 10, 21) },
      dryRun: true,
    });
    assert.deepEqual(await body('--to-group', 'h'), { target: { group: 'h' }, dryRun: true });
    assert.equal((await run(args)).code, 2);
    assert.equal((await run([...args, '--to', 'sometime'])).code, 2);
  });
});

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? null : JSON.parse(text);
}
