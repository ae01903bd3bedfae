import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDefinition, type Definition } from '../../../tools/kafka-codec/definition.ts';
import { emitAll } from '../../../tools/kafka-codec/emit.ts';
import { wireMessage } from '../../../tools/kafka-codec/wire.ts';

const HEADER = 'api 7 Nest  versions 1-4  flexible 3+\n\n';

const parse = (fields: string): Definition =>
  parseDefinition('07-nest.api', `${HEADER}request\n${fields}\n\nresponse\n`);

/** The request in one version, a line per field. */
function linesOf(fields: string, version: number): readonly string[] {
  const message = parse(fields).messages[0];
  assert.ok(message !== undefined);
  return wireMessage(message, 7).lines(version);
}

test('a definition says for each version which fields there are', () => {
  const fields = [
    '  eggs    [Egg]?2+            # a remark',
    '    size  int32    = -1',
    '    id    uuid     3+ tag 0',
    '  old     string   1-2',
    '  more    [Egg]    4',
    '  flag    bool     2',
  ].join('\n');
  assert.deepEqual(linesOf(fields, 1), ['eggs [struct]', 'eggs.size int32 = -1', 'old string']);
  assert.deepEqual(linesOf(fields, 2), [
    'eggs [struct] nullable',
    'eggs.size int32 = -1',
    'old string',
    'flag bool',
  ]);
  assert.deepEqual(linesOf(fields, 4), [
    'eggs [struct] nullable',
    'eggs.size int32 = -1',
    'eggs.id uuid tag 0',
    'more [struct]',
    'more.size int32 = -1',
    'more.id uuid tag 0',
  ]);
});

test('what is not understood is an error with its line', () => {
  const cases: [fields: string, problem: RegExp][] = [
    ['  eggs  [Egg]', /^Error: 07-nest.api:\d+: Egg is not defined/],
    ['  a  int32\n     b  int32', /indented by 5/],
    ['  a  int32  someday', /not understood: someday/],
    ['  a  int32\n  a  int32', /a is there twice/],
    ['  a  int32  1-2 tag 0', /a has a tag in versions without tags/],
    ['  a  [E]\n    b  int32\n  c  [E]\n    b  int32', /E is defined twice/],
    ['nonsense', /expected|not a field/],
  ];
  for (const [fields, problem] of cases) assert.throws(() => parse(fields), problem);
  assert.throws(() => parseDefinition('x.api', 'api x'), /expected "api"/);
});

test('code branches where versions differ, and only there', () => {
  const files = emitAll([parse('  a  int32\n  b  string?  2+ = null\n  c  int8  3+ tag 1 = 5')]);
  const code = files.get('nest.ts') ?? '';
  assert.match(code, /const a = reader\.int32\('a'\);/);
  assert.match(code, /const b = version >= 2 \? reader\.nullableString\(flexible, 'b'\) : null;/);
  assert.match(code, /const tag1 = value\.c !== 5;/);
  assert.match(code, /export function readNestResponse\(reader: Reader, version: number\)/);
  assert.match(files.get('apis.ts') ?? '', /NEST,/);
});
