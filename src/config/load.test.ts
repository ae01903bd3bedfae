import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LyrebirdError } from '../base/errors.ts';
import { loadConfig, type ConfigProblem, type ConfigSources } from './load.ts';
import { diffConfig, reloadConfig } from './reload.ts';

let folder = '';
before(() => (folder = mkdtempSync(join(tmpdir(), 'lyrebird-config-'))));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string, name = 'lyrebird.toml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(sources: Partial<ConfigSources>) {
  return loadConfig({ file: null, environment: {}, flags: [], ...sources });
}

const set = (key: string, value: unknown) => ({ key, value, flag: '--set' });

/** The message of LB1001 and all problems. */
function refusal(sources: Partial<ConfigSources>): { message: string; problems: ConfigProblem[] } {
  try {
    load(sources);
  } catch (error) {
    assert.ok(error instanceof LyrebirdError);
    assert.equal(error.code, 'LB1001');
    return { message: error.message, problems: error.details['problems'] as ConfigProblem[] };
  }
  return assert.fail('the configuration was accepted');
}

describe('layers', () => {
  test('flag beats environment beats file beats default, and every value knows its origin', () => {
    const path = file(
      '[kafka]\nauto_create_partitions = 2\nauto_create_topics = false\n[node]\nid = 2',
    );
    const environment = {
      LYREBIRD_KAFKA__AUTO_CREATE_PARTITIONS: '3',
      LYREBIRD_NODE__ID: '3',
      PATH: 'x',
    };
    const flags = [set('node.id', '4'), set('node.id', '5')];
    const { config, values } = load({ file: path, environment, flags });
    assert.equal(config.node.id, 5);
    assert.equal(config.kafka.auto_create_partitions, 3);
    assert.equal(config.kafka.auto_create_topics, false);
    assert.equal(config.storage.durability, 'fsync');
    const origin = (key: string) => values.find((value) => value.key === key)?.origin;
    assert.deepEqual(origin('node.id'), { layer: 'flag', source: '--set' });
    assert.deepEqual(origin('kafka.auto_create_partitions'), {
      layer: 'environment',
      source: 'LYREBIRD_KAFKA__AUTO_CREATE_PARTITIONS',
    });
    assert.deepEqual(origin('kafka.auto_create_topics'), { layer: 'file', source: path });
    assert.deepEqual(origin('storage.path'), { layer: 'default', source: null });
  });

  test('units are read and the result cannot be changed', () => {
    const { config } = load({
      flags: [
        set('topics.retention', '36h'),
        set('topics.retention_bytes', '10GiB'),
        set('limits.idle_timeout', 'unlimited'),
      ],
    });
    assert.equal(config.topics.retention, 36 * 3_600_000);
    assert.equal(config.topics.retention_bytes, 10 * 2 ** 30);
    assert.equal(config.limits.idle_timeout, Infinity);
    assert.throws(() => {
      (config.topics as { retention: number }).retention = 1;
    }, TypeError);
  });

  test('listeners are URLs with commas, arrays, or tables', () => {
    const environment = { LYREBIRD_LISTENERS: 'kafka://127.0.0.1:0, admin://127.0.0.1:0' };
    assert.deepEqual(
      load({ environment }).config.listeners.map(({ name, port }) => [name, port]),
      [
        ['kafka', 0],
        ['admin', 0],
      ],
    );
    const path = file(
      '[[listeners]]\nurl = "kafka+tls://*:9093"\nname = "public"\ncert = "c"\nkey = "k"',
    );
    const [listener] = load({ file: path }).config.listeners;
    assert.equal(listener?.name, 'public');
    assert.deepEqual(listener?.tls, { cert: 'c', key: 'k', clientCa: null });
  });
});

describe('refusals', () => {
  test('an unknown key is an error with its place and a suggestion', () => {
    const path = file('[kafka]\nauto_create_topic = true');
    assert.equal(
      refusal({ file: path }).message,
      `${path}: kafka.auto_create_topic: is not a key; did you mean kafka.auto_create_topics?`,
    );
    assert.match(
      refusal({ environment: { LYREBIRD_STORAGE__PAHT: 'x' } }).message,
      /^LYREBIRD_STORAGE__PAHT: .*did you mean LYREBIRD_STORAGE__PATH\?$/,
    );
    assert.match(
      refusal({ environment: { LYREBIRD_STORAGE_PATH: 'x' } }).message,
      /did you mean LYREBIRD_STORAGE__PATH\?$/,
    );
    assert.match(
      refusal({ flags: [set('durability', 'os')] }).message,
      /^--set: durability: is not a key; did you mean storage\.durability\?$/,
    );
    assert.match(
      refusal({ flags: [set('num.partitions', '3')] }).message,
      /did you mean kafka\.auto_create_partitions\?$/,
    );
    assert.match(refusal({ flags: [set('zzzzqqqq', '3')] }).message, /config reference lists all/);
  });

  test('variables that are not keys are left alone', () => {
    const environment = { LYREBIRD_CONFIG: 'x', LYREBIRD_SERVER: 'http://127.0.0.1:1' };
    assert.equal(load({ environment }).config.node.id, 1);
  });

  test('a wrong value says what was expected and who gave it', () => {
    assert.equal(
      refusal({ flags: [set('storage.durability', 'paranoid')] }).message,
      '--set: storage.durability: expected one of fsync, os, memory, not "paranoid"',
    );
    const path = file('[topics]\nretention = true\nmessage_bytes_max = "10M"');
    const { message, problems } = refusal({ file: path });
    assert.match(
      message,
      /topics\.retention: expected a duration .*, not true \(and 1 more problems\)$/,
    );
    assert.deepEqual(
      problems.map((problem) => problem.key),
      ['topics.retention', 'topics.message_bytes_max'],
    );
    assert.match(
      refusal({ flags: [set('listeners', 'kafka+x://a:1')] }).message,
      /^--set: listeners\.0: \+x/,
    );
    assert.match(
      refusal({ file: file('[[listeners]]\nurl = "kafka://:1"\nsert = "x"') }).message,
      /listeners\.0: /,
    );
  });

  test('a file that is missing, broken or of the wrong shape says where', () => {
    assert.match(
      refusal({ file: join(folder, 'absent.toml') }).message,
      /absent\.toml: there is no such file$/,
    );
    assert.match(refusal({ file: file('[kafka\nx=1') }).message, /line 1, column/);
    assert.match(refusal({ file: file('kafka = 3') }).message, /kafka: is a table/);
  });

  test('two values that contradict each other are refused', () => {
    const flags = [set('groups.session_timeout_min', '2h')];
    assert.match(refusal({ flags }).message, /groups\.session_timeout_min: is above/);
  });
});

describe('references', () => {
  test('variables and files are put in, and are not shown', () => {
    file('/srv/data\n', 'path.txt');
    const path = file('[storage]\npath = "${file:path.txt}/${env:NAME}/$${x}"');
    const { config, values } = load({ file: path, environment: { NAME: 'a${env:NAME}' } });
    assert.equal(config.storage.path, '/srv/data/a${env:NAME}/${x}');
    const shown = values.find((value) => value.key === 'storage.path');
    assert.equal(shown?.text, '${file:path.txt}/${env:NAME}/$${x}');
  });

  test('one that cannot be resolved is an error', () => {
    const flag = (value: string) => refusal({ flags: [set('storage.path', value)] }).message;
    assert.match(flag('${env:ABSENT}'), /storage\.path: environment variable ABSENT is not set/);
    assert.match(flag('${file:/absent}'), /cannot read \/absent: ENOENT/);
    assert.match(flag('${HOME}'), /is not a reference/);
  });
});

test('a reload says what changed and what needs a restart', () => {
  const path = file('[log]\nlevel = "info"\n[topics]\nretention = "24h"');
  const first = load({ file: path });
  file('[log]\nlevel = "debug"\n[topics]\nretention = "1d"\n[node]\nid = 9');
  const { loaded, changes } = reloadConfig(first);
  assert.equal(loaded.config.log.level, 'debug');
  assert.deepEqual(changes, [
    { key: 'node.id', from: '1', to: '9', live: false },
    { key: 'log.level', from: 'info', to: 'debug', live: true },
  ]);
  assert.deepEqual(diffConfig(first, first), []);
  file('[log]\nlevel = "loud"');
  assert.throws(() => reloadConfig(first), LyrebirdError);
});
