import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { BROKER_CONFIGS } from './configs/broker-configs.ts';
import type { ConfigDefinition } from './configs/definition.ts';
import { TOPIC_CONFIGS } from './configs/topic-configs.ts';
import { API_HANDLERS } from './handlers/registry.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

/** Cells of the rows of a Markdown document's tables, without the header rows. */
function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('documents of the Kafka protocol', () => {
  it('README.md lists every API that is served, with its versions', () => {
    const documented = tableRows(read('./README.md'))
      .filter(([key]) => /^\d+$/.test(key ?? ''))
      .map(([key, name, versions]) => `${key} ${name} ${versions}`);
    const served = [...API_HANDLERS]
      .sort((a, b) => a.api.key - b.api.key)
      .map((one) => `${one.api.key} ${one.api.name} ${one.minVersion}-${one.maxVersion}`);
    assert.deepEqual(documented, served);
  });

  const manual = tableRows(read('../../../docs/protocols/kafka.md'));
  const rowOf = ({ name, defaultValue, effect, doc }: ConfigDefinition): string =>
    [`\`${name}\``, defaultValue ?? '', effect, doc].join(' | ');

  it('docs/protocols/kafka.md lists every topic configuration', () => {
    const rows = manual.map((cells) => cells.join(' | '));
    const missing = TOPIC_CONFIGS.map(rowOf).filter((row) => !rows.includes(row));
    assert.deepEqual(missing, []);
  });

  it('docs/protocols/kafka.md lists every broker configuration that something depends on', () => {
    const rows = manual.map((cells) => cells.join(' | '));
    const missing = BROKER_CONFIGS.filter((one) => one.effect !== 'no-effect')
      .map(rowOf)
      .filter((row) => !rows.includes(row));
    assert.deepEqual(missing, []);
  });

  it('names each configuration once', () => {
    for (const table of [TOPIC_CONFIGS, BROKER_CONFIGS]) {
      const names = table.map((definition) => definition.name);
      assert.equal(new Set(names).size, names.length);
      assert.deepEqual([...names].sort(), names);
    }
  });
});
