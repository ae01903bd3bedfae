import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from './arguments.ts';
import { Atoms, formatReply, JsonText, term } from './format.ts';
import { CtlError, type CtlReply } from './verb.ts';

const TABLE: CtlReply = {
  kind: 'table',
  banner: 'Listing things ...',
  columns: ['name', 'tags', 'arguments', 'definition', 'count'],
  rows: [
    {
      name: 'a\tb',
      tags: new Atoms(['administrator', 'x']),
      arguments: { 'x-priority': 5, t: 'v' },
      definition: new JsonText({ 'max-length': 5 }),
      count: 2,
    },
  ],
};

const printed = (reply: CtlReply, ...args: readonly string[]): string =>
  formatReply(reply, parseArguments(['list', ...args]).options);

describe('formatReply', () => {
  it('prints tables as RabbitMQ does', () => {
    const row = 'a\\tb\t[administrator, x]\t[{"x-priority",5},{"t","v"}]\t{"max-length":5}\t2\n';
    const header = 'name\ttags\targuments\tdefinition\tcount\n';
    assert.equal(printed(TABLE), `Listing things ...\n${header}${row}`);
    assert.equal(printed(TABLE, '-q'), header + row);
    assert.equal(printed(TABLE, '-s'), row);
    assert.equal(printed(TABLE, '--no-table-headers', '--quiet'), row);
  });

  it('prints JSON and CSV', () => {
    assert.deepEqual(JSON.parse(printed(TABLE, '--formatter', 'json')), [
      {
        name: 'a\tb',
        tags: ['administrator', 'x'],
        arguments: { 'x-priority': 5, t: 'v' },
        definition: { 'max-length': 5 },
        count: 2,
      },
    ]);
    assert.equal(printed({ ...TABLE, rows: [] }, '--formatter=json'), '[\n]\n');
    assert.match(printed(TABLE, '--formatter=csv'), /"\[administrator, x\]"/);
  });

  it('leaves banners out when asked', () => {
    const reply: CtlReply = { kind: 'lines', banner: 'Doing ...', lines: ['done'] };
    assert.equal(printed(reply), 'Doing ...\ndone\n');
    assert.equal(printed(reply, '-q'), 'done\n');
  });
});

describe('term', () => {
  it('writes values as Erlang terms', () => {
    assert.equal(term(['a"b', 1, true, { k: [] }]), '["a\\"b",1,true,[{"k",[]}]]');
  });
});

describe('parseArguments', () => {
  it('takes options anywhere, and what follows -- as it is', () => {
    const parsed = parseArguments([
      '-n',
      'a@b',
      'set_policy',
      '--priority',
      '1',
      'p',
      '-p',
      '/v',
      '--',
      '-x',
    ]);
    assert.equal(parsed.verb, 'set_policy');
    assert.deepEqual(parsed.args, ['p', '-x']);
    assert.equal(parsed.options.vhost, '/v');
    assert.equal(parsed.options.values.get('priority'), '1');
  });

  it('keeps negative numbers, and refuses what it does not know', () => {
    assert.deepEqual(parseArguments(['set', '-1']).args, ['-1']);
    assert.throws(() => parseArguments(['set', '--bogus']), CtlError);
  });
});
