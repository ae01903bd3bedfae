import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { apiByKey } from '../../../src/protocols/kafka/codec/generated/apis.ts';
import { compareWithJar } from '../../../tools/kafka-codec/compare.ts';
import { encode, messagesUnderTest, plain } from './arbitraries.ts';
import { agrees, askOfficialEncoder } from './official-encoder.ts';

const jar = process.env['LYREBIRD_KAFKA_JAR'];
const skip = jar === undefined ? 'LYREBIRD_KAFKA_JAR does not name a kafka-clients jar' : false;
const VALUES_PER_VERSION = 25;

test('the definitions are the official ones, apart from the deviations listed', { skip }, () => {
  const schemas = fileURLToPath(new URL('../../../schemas/kafka', import.meta.url));
  const { differences, versions } = compareWithJar(schemas, jar ?? '');
  assert.deepEqual(differences, []);
  assert.ok(versions > 500);
});

test("Kafka's own classes read what we write, and write the same bytes", { skip }, () => {
  const cases = messagesUnderTest().flatMap((message) =>
    message.versions.flatMap((version) =>
      fc
        .sample(message.values(version), { numRuns: VALUES_PER_VERSION, seed: version })
        .map((value) => ({
          message,
          version,
          value,
          hex: encode(message, value, version).toString('hex'),
        })),
    ),
  );
  const answers = askOfficialEncoder(
    jar ?? '',
    cases.map(({ message, version, hex }) => ({
      key: message.key,
      role: message.role,
      version,
      hex,
    })),
  );
  let checked = 0;
  cases.forEach(({ message, version, value, hex }, index) => {
    const answer = answers[index];
    assert.ok(answer !== undefined);
    const name = `${message.name} v${version} ${hex}`;
    if (answer === 'dropped') return;
    assert.ok(!('error' in answer), `${name}: ${'error' in answer ? answer.error : ''}`);
    assert.equal(answer.hex, hex, name);
    assert.ok(agrees(plain(value), answer.json), `${name}: ${JSON.stringify(answer.json)}`);
    const api = apiByKey(message.key);
    const headerVersion =
      message.role === 'request'
        ? api?.requestHeaderVersion(version)
        : api?.responseHeaderVersion(version);
    assert.equal(answer.headerVersion, headerVersion, `${name}: header`);
    checked++;
  });
  assert.ok(checked > cases.length * 0.9, `${checked} of ${cases.length} checked`);
});
