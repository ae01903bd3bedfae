import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface OfficialAnswer {
  readonly headerVersion: number;
  readonly hex: string;
  /** The message as Kafka's JSON converter shows it. */
  readonly json: unknown;
}

export interface OfficialQuestion {
  readonly key: number;
  readonly role: 'request' | 'response';
  readonly version: number;
  readonly hex: string;
}

/** An answer, or why there is none: `dropped` when this Kafka no longer has the version. */
export type OfficialOutcome = OfficialAnswer | { readonly error: string } | 'dropped';

/** Lets Kafka's own classes read and write messages. Needs a JDK, and the jars that Kafka's client needs beside its own. */
export function askOfficialEncoder(
  jar: string,
  questions: readonly OfficialQuestion[],
): OfficialOutcome[] {
  const source = fileURLToPath(new URL('Reencode.java', import.meta.url));
  const input = questions.map((q) => `${q.key} ${q.role} ${q.version} ${q.hex}\n`).join('');
  const result = spawnSync('java', ['-cp', join(dirname(jar), '*'), source], {
    input,
    encoding: 'utf8',
    maxBuffer: 1024 * 1024 * 1024,
  });
  if (result.status !== 0)
    throw new Error(`java failed: ${result.error?.message ?? result.stderr}`);
  return result.stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line === 'dropped') return line;
      if (line.startsWith('error ')) return { error: line };
      const [headerVersion = '', hex = '', ...json] = line.split(' ');
      return {
        headerVersion: Number(headerVersion),
        hex,
        json: JSON.parse(json.join(' ')) as unknown,
      };
    });
}

/**
 * Whether what we read is what Kafka's JSON says. It leaves out fields that the version lacks and tagged defaults,
 * writes bytes as base64, and shows records as empty.
 */
export function agrees(ours: unknown, json: unknown): boolean {
  if (Array.isArray(json)) {
    return (
      Array.isArray(ours) &&
      ours.length === json.length &&
      json.every((element, index) => agrees(ours[index], element))
    );
  }
  if (Buffer.isBuffer(ours)) return agreesBytes(ours, json);
  if (json === null || typeof json !== 'object') return ours === json || agreesNumber(ours, json);
  if (ours === null || typeof ours !== 'object') return false;
  const fields = ours as Readonly<Record<string, unknown>>;
  return Object.entries(json).every(
    ([name, value]) => name === 'records' || agrees(fields[name], value),
  );
}

/** Bytes are plain base64, uuids its url-safe form without padding. */
const agreesBytes = (ours: Buffer, json: unknown): boolean =>
  ours.toString('base64') === json || ours.toString('base64url') === json;

/** Infinities, which JSON cannot say, are strings. */
const agreesNumber = (ours: unknown, json: unknown): boolean =>
  typeof ours === 'number' && typeof json === 'string' && String(ours) === json;
