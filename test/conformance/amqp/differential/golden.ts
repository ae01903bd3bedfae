import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { format, resolveConfig } from 'prettier';
import type { Transcript } from './transcript.ts';

/** An answer of Lyrebird's that is not RabbitMQ's. */
export interface Difference {
  readonly why: string;
  /** What Lyrebird says instead, in the streams that differ; null: says nothing there. */
  readonly answers: Readonly<Record<string, Transcript[string] | null>>;
}

const DIFFERENCES = fileURLToPath(new URL('differences.json', import.meta.url));

const goldenFile = (group: string): string =>
  fileURLToPath(new URL(`golden/${group.replaceAll(' ', '-')}.json`, import.meta.url));

/** Scenarios are called group/what; the answers to a group are in one file. */
const groupOf = (name: string): string => name.slice(0, name.indexOf('/'));

function read<T>(path: string): Record<string, T> {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, T>) : {};
}

async function write(path: string, content: unknown): Promise<void> {
  const options = { ...(await resolveConfig(path)), filepath: path };
  writeFileSync(path, await format(JSON.stringify(content), options));
}

/** What RabbitMQ said, or null. */
export function goldenOf(name: string): Transcript | null {
  return read<Transcript>(goldenFile(groupOf(name)))[name] ?? null;
}

export async function writeGolden(name: string, transcript: Transcript): Promise<void> {
  const path = goldenFile(groupOf(name));
  await write(path, { ...read<Transcript>(path), [name]: transcript });
}

export function differenceOf(name: string): Difference | null {
  return read<Difference>(DIFFERENCES)[name] ?? null;
}

export function allDifferences(): Readonly<Record<string, Difference>> {
  return read<Difference>(DIFFERENCES);
}

export async function writeDifference(name: string, difference: Difference): Promise<void> {
  await write(DIFFERENCES, { ...read<Difference>(DIFFERENCES), [name]: difference });
}

/** The streams that are not the same, with what the second has there. */
export function differingStreams(
  golden: Transcript,
  other: Transcript,
): Record<string, Transcript[string] | null> {
  const names = new Set([...Object.keys(golden), ...Object.keys(other)]);
  const found: Record<string, Transcript[string] | null> = {};
  for (const name of names) {
    if (!isDeepStrictEqual(plain(golden[name]), plain(other[name])))
      found[name] = other[name] ?? null;
  }
  return found;
}

/** -0, undefined and their like, as a file would have them. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/** What the run says that neither RabbitMQ said nor a listed difference does, in sentences. */
export function unexplained(
  golden: Transcript,
  transcript: Transcript,
  difference: Difference | null,
): string[] {
  const sentences: string[] = [];
  const found = differingStreams(golden, transcript);
  for (const [stream, lines] of Object.entries(found)) {
    const listed = difference?.answers[stream];
    if (listed !== undefined && isDeepStrictEqual(plain(listed), plain(lines))) continue;
    sentences.push(`${stream}: ${firstDifference(golden[stream] ?? [], lines ?? [])}`);
  }
  for (const stream of Object.keys(difference?.answers ?? {})) {
    if (found[stream] === undefined) sentences.push(`${stream}: the listed difference is gone`);
  }
  return sentences;
}

function firstDifference(expected: Transcript[string], actual: Transcript[string]): string {
  const at = [...expected, ...actual].findIndex(
    (_, index) => !isDeepStrictEqual(plain(expected[index]), plain(actual[index])),
  );
  const show = (lines: Transcript[string]): string =>
    at < lines.length ? JSON.stringify(lines[at]) : 'nothing more';
  return `line ${at + 1}: RabbitMQ says ${show(expected)}, this broker ${show(actual)}`;
}
