import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nameMatcher, parsePartitions } from './options.ts';
import { parseInstant } from './instant.ts';
import { messageFormatter, messageJson, type LocatedMessage } from './message-format.ts';
import { renderTable } from './output.ts';
import { compileTemplate } from './template.ts';
import { wantsColors } from './terminal.ts';
import { toYaml } from './yaml.ts';

const message: LocatedMessage = {
  topic: 'orders',
  partition: 2,
  offset: 41,
  timestampMs: Date.UTC(2026, 0, 2),
  key: Buffer.from('k'),
  value: Buffer.from('vü'),
  headers: [{ name: 'h', value: Buffer.from('1') }],
};

describe('message formats', () => {
  test('tokens and escapes', () => {
    const render = (format: string): string => messageFormatter(format)(message).toString();
    assert.equal(render('%t %p %o %k %v\\n'), 'orders 2 41 k vü\n');
    assert.equal(
      render('%T|%D|%h|%K|%S|%%|%s'),
      '1767312000000|2026-01-02T00:00:00.000Z|h=1|1|3|%|vü',
    );
    assert.equal(render('\\t\\x41\\\\\\q'), '\tA\\\\q');
    assert.throws(() => render('%y'), /unknown %y/);
  });

  test('bytes are kept, in JSON as base64', () => {
    const binary = { ...message, key: null, value: Buffer.from([0xff, 0, 1]) };
    assert.deepEqual(messageFormatter('%v')(binary), binary.value);
    const json = JSON.parse(messageJson(binary)) as Record<string, unknown>;
    assert.equal(json['value'], '/wAB');
    assert.equal(json['valueEncoding'], 'base64');
    assert.equal(json['key'], null);
    assert.equal(json['timestamp'], '2026-01-02T00:00:00.000Z');
  });

  test('what a protocol has no number for is left out', () => {
    const properties = { exchange: 'logs', priority: 3 };
    const bare = { ...message, partition: -1, offset: -1, timestampMs: -1, properties };
    assert.equal(messageFormatter('%p|%o|%T|%D|%k')(bare).toString(), '||||k');
    const json = JSON.parse(messageJson(bare)) as Record<string, unknown>;
    assert.deepEqual(Object.keys(json), [
      'topic',
      'timestamp',
      'key',
      'value',
      'headers',
      'properties',
    ]);
    assert.equal(json['timestamp'], null);
    assert.deepEqual(json['properties'], properties);
  });
});

test('instants are RFC 3339, days, milliseconds, or back from now', () => {
  const now = Date.UTC(2026, 5, 1);
  assert.equal(parseInstant('-15m', now), now - 900_000);
  assert.equal(parseInstant('2026-01-02', now), Date.UTC(2026, 0, 2));
  assert.equal(parseInstant('2026-01-02T03:04:05+01:00', now), Date.UTC(2026, 0, 2, 2, 4, 5));
  assert.equal(parseInstant('1767312000000', now), 1_767_312_000_000);
  for (const bad of ['', 'yesterday', '-x', '12', '2026-13-40'])
    assert.equal(parseInstant(bad, now), null);
});

test('partitions are numbers and ranges', () => {
  assert.deepEqual(parsePartitions('5-7,0,6', '-p'), [0, 5, 6, 7]);
  assert.throws(() => parsePartitions('1-', '-p'), /-p 1-/);
});

test('names match globs, or regular expressions', () => {
  const glob = nameMatcher('a.*-?', false);
  assert.ok(glob('a.bc-1'));
  assert.ok(!glob('axbc-1'));
  assert.ok(nameMatcher('^a|b$', true)('xb'));
  assert.throws(() => nameMatcher('(', true), /not a regular expression/);
});

test('tables align numbers to the right and count wide characters twice', () => {
  const rows = [
    { name: '主题', count: 5 },
    { name: 'long name', count: 100 },
  ];
  const text = renderTable(
    [
      { title: 'NAME', value: (row) => row.name },
      { title: 'COUNT', value: (row) => row.count },
    ],
    rows,
  );
  assert.equal(text, 'NAME       COUNT\n主题           5\nlong name    100\n');
});

test('colors follow NO_COLOR, CLICOLOR_FORCE and TERM', () => {
  assert.equal(wantsColors({}, true), true);
  assert.equal(wantsColors({}, false), false);
  assert.equal(wantsColors({ NO_COLOR: '1' }, true), false);
  assert.equal(wantsColors({ TERM: 'dumb' }, true), false);
  assert.equal(wantsColors({ CLICOLOR_FORCE: '1' }, false), true);
});

test('YAML quotes what could be read as something else', () => {
  const value = {
    apiVersion: 'v1',
    topics: [
      { name: 'a.b-c', partitions: 3, internal: false, overrides: { 'retention.ms': '1000' } },
      { name: 'yes', partitions: [], note: null, lists: [['x'], [{ deep: 'é: #' }]] },
    ],
    empty: {},
  };
  assert.equal(
    toYaml(value),
    [
      'apiVersion: v1',
      'topics:',
      '- name: a.b-c',
      '  partitions: 3',
      '  internal: false',
      '  overrides:',
      '    retention.ms: "1000"',
      '- name: "yes"',
      '  partitions: []',
      '  note: null',
      '  lists:',
      '  - - x',
      '  - - deep: "é: #"',
      'empty: {}',
      '',
    ].join('\n'),
  );
});

test('templates reach into rows', () => {
  const row = { name: 'orders', count: 3, deep: { list: [1] }, none: null };
  const render = compileTemplate('{{name}}={{ .count }}\\t{{deep.list}}{{none}}|');
  assert.equal(render(row), 'orders=3\t[1]|');
  assert.throws(() => compileTemplate('{{nam}}')(row), /there is no \{\{nam\}\}/);
});
