import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createBroker, type LyrebirdBroker } from '../../src/index.ts';
import { consume, kafkaOf, numbered, produce } from '../support/kafkajs.ts';

const PAGE = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');

describe('metrics', () => {
  let broker: LyrebirdBroker;

  before(async () => {
    broker = await createBroker();
    await produce(kafkaOf(broker), 'metered', numbered('m', 3));
    await consume(kafkaOf(broker), { topic: 'metered', group: 'metered', count: 3 });
  });

  after(() => broker.close());

  it('are documented, and what is documented exists', () => {
    const names = [...broker.metrics().matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    const documented = [...PAGE.matchAll(/^\| `([a-z_0-9]+)` +\| (\w+) /gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    assert.deepEqual(documented.sort(), names.sort());
  });

  it('have one line per series, of a family that is announced once', () => {
    const lines = broker.metrics().trimEnd().split('\n');
    const series = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/ \S+$/, ''));
    assert.deepEqual(
      series.filter((name, index) => series.indexOf(name) !== index),
      [],
    );
    const announced = lines.filter((line) => line.startsWith('# TYPE '));
    assert.equal(new Set(announced).size, announced.length);
    for (const line of lines)
      assert.match(line, /^(# (HELP|TYPE) \S+ .+|[a-z_0-9]+(\{[^}]*\})? \S+)$/);
  });
});
