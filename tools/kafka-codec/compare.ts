import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { intersect, loadDefinitions, type Range } from './definition.ts';
import { DEVIATIONS } from './deviations.ts';
import { readOfficialMessages } from './official.ts';
import { wireMessage, within, type WireMessage } from './wire.ts';

/*
 * Compares the definitions in schemas/kafka with the official ones in a kafka-clients jar, version by version, field by
 * field: type, order, nullability, tag, default.
 *
 *   node --import tsx tools/kafka-codec/compare.ts --jar kafka-clients-4.3.1.jar
 *
 * Prints the differences and the deviations that are meant; exits 1 when there is a difference.
 */

export interface Comparison {
  readonly messages: number;
  readonly versions: number;
  readonly differences: readonly string[];
  /** The listed deviations that were found. */
  readonly deviations: readonly string[];
}

export function compareWithJar(schemas: string, jar: string): Comparison {
  const official = readOfficialMessages(jar);
  const differences: string[] = [];
  const deviations: string[] = [];
  let messages = 0;
  let versions = 0;
  for (const definition of loadDefinitions(schemas)) {
    for (const message of definition.messages) {
      const ours = wireMessage(message, definition.api?.key ?? null);
      const theirs = official.get(message.name);
      if (theirs === undefined) {
        differences.push(`${message.name}: not in the jar`);
        continue;
      }
      messages++;
      versions += compareVersions(ours, theirs, differences);
      // A response has its request's versions: once per API is enough to tell.
      if (message.role === 'response') continue;
      const name = definition.api?.name ?? message.name;
      compareRanges(name, ours.versions, theirs.versions, { differences, deviations });
    }
  }
  return { messages, versions, differences, deviations };
}

/** Compares what both sides have; returns how many versions that were. */
function compareVersions(ours: WireMessage, theirs: WireMessage, differences: string[]): number {
  if (ours.key !== theirs.key) differences.push(`${ours.name}: key ${ours.key}, not ${theirs.key}`);
  const common = intersect(ours.versions, theirs.versions);
  for (let version = common.from; version <= common.to; version++) {
    const name = `${ours.name} v${version}`;
    if (within(ours.flexible, version) !== within(theirs.flexible, version)) {
      differences.push(`${name}: flexible on one side only`);
    }
    const ourLines = ours.lines(version);
    const theirLines = theirs.lines(version);
    for (let i = 0; i < Math.max(ourLines.length, theirLines.length); i++) {
      if (ourLines[i] === theirLines[i]) continue;
      differences.push(`${name}: ours "${ourLines[i] ?? ''}", official "${theirLines[i] ?? ''}"`);
      break;
    }
  }
  return common.to - common.from + 1;
}

function compareRanges(
  name: string,
  ours: Range,
  theirs: Range,
  into: { differences: string[]; deviations: string[] },
): void {
  const parts = [
    ...only('ours', ours.from, theirs.from - 1),
    ...only('official', theirs.from, ours.from - 1),
    ...only('ours', theirs.to + 1, ours.to),
    ...only('official', ours.to + 1, theirs.to),
  ];
  const found = parts.join(', ');
  const known = DEVIATIONS[name];
  if (found === (known?.versions ?? '')) {
    if (known !== undefined) into.deviations.push(`${name}: versions ${found} only: ${known.why}`);
    return;
  }
  into.differences.push(
    `${name}: versions "${found}" on one side only, listed is "${known?.versions ?? ''}"`,
  );
}

const only = (side: string, from: number, to: number): string[] =>
  from > to ? [] : [from === to ? `${side} ${from}` : `${side} ${from}-${to}`];

function main(): void {
  const { values } = parseArgs({ options: { jar: { type: 'string' } } });
  if (values.jar === undefined) {
    process.stderr.write('usage: compare.ts --jar <kafka-clients.jar>\n');
    process.exitCode = 2;
    return;
  }
  const schemas = fileURLToPath(new URL('../../schemas/kafka', import.meta.url));
  const result = compareWithJar(schemas, values.jar);
  for (const line of result.deviations) process.stdout.write(`meant: ${line}\n`);
  for (const line of result.differences) process.stdout.write(`differs: ${line}\n`);
  process.stdout.write(
    `${result.messages} messages, ${result.versions} versions, ${result.differences.length} differences\n`,
  );
  if (result.differences.length > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
