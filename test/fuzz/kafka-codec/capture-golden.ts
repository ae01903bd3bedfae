import { writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { encode, messagesUnderTest, type MessageUnderTest } from './arbitraries.ts';
import { askOfficialEncoder, type OfficialQuestion } from './official-encoder.ts';

/*
 * Writes golden.jsonl: for the oldest, the first flexible and the newest version of every message the bytes that Kafka's
 * own classes write, and the values that their JSON shows.
 *
 *   LYREBIRD_KAFKA_JAR=kafka-clients-4.3.1.jar node --import tsx test/fuzz/kafka-codec/capture-golden.ts
 */

const HEX_MAX = 360;

interface Candidate extends OfficialQuestion {
  readonly name: string;
}

/** The longest of some values that is still short enough to be looked at. */
function candidate(message: MessageUnderTest, version: number): Candidate {
  const all = fc
    .sample(message.values(version), { numRuns: 60, seed: version + 7 })
    .map((value) => encode(message, value, version).toString('hex'))
    .sort((a, b) => b.length - a.length);
  const hex = all.find((text) => text.length <= HEX_MAX) ?? all.at(-1) ?? '';
  return { name: message.name, key: message.key, role: message.role, version, hex };
}

const jar = process.env['LYREBIRD_KAFKA_JAR'];
if (jar === undefined) throw new Error('LYREBIRD_KAFKA_JAR does not name a kafka-clients jar');
const candidates = messagesUnderTest().flatMap((message) =>
  message.versions.map((version) => candidate(message, version)),
);
const flexibleFrom = new Map(messagesUnderTest().map((m) => [m.name, m.flexibleFrom]));
const lines: string[] = [];
let previous = '';
askOfficialEncoder(jar, candidates).forEach((answer, index) => {
  const question = candidates[index];
  if (question === undefined || answer === 'dropped') return;
  const { name, version } = question;
  if ('error' in answer) throw new Error(`${name} v${version}: ${answer.error}`);
  const isOldest = name !== previous;
  const isNewest = name !== candidates[index + 1]?.name;
  previous = name;
  if (!isOldest && !isNewest && version !== flexibleFrom.get(name)) return;
  lines.push(JSON.stringify({ name, version, hex: answer.hex, json: answer.json }));
});
writeFileSync(new URL('golden.jsonl', import.meta.url), `${lines.join('\n')}\n`);
