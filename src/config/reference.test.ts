import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from './load.ts';
import { configReference } from './reference.ts';
import { configJsonSchema, listSettings } from './schema.ts';

test('docs/reference/config.md is what config reference prints', () => {
  const page = readFileSync(new URL('../../docs/reference/config.md', import.meta.url), 'utf8');
  assert.equal(
    page,
    configReference(),
    'run: npm run build && bin/lyrebird config reference > docs/reference/config.md',
  );
});

test('every key has help that ends as a sentence, and a default that is valid', () => {
  for (const setting of listSettings()) {
    assert.match(setting.help, /^[`"A-Z].*\.$/, setting.key);
    if (setting.default === null || setting.default === '') continue;
    const flags = [{ key: setting.key, value: setting.default, flag: '--set' }];
    loadConfig({ file: null, environment: {}, flags });
  }
});

test('the JSON Schema names every section and refuses unknown keys', () => {
  const schema = configJsonSchema() as {
    additionalProperties: boolean;
    properties: Record<string, { properties?: object; additionalProperties?: boolean }>;
  };
  assert.equal(schema.additionalProperties, false);
  for (const { key } of listSettings()) {
    const [section = '', name] = key.split('.');
    const found = schema.properties[section];
    assert.ok(found !== undefined, section);
    if (name !== undefined) assert.ok(name in (found.properties ?? {}), key);
  }
});
