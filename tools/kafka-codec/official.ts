import { NONE, type Range } from './definition.ts';
import { readArchive } from './jar.ts';
import { canonicalDefault, within, wireLine, type WireMessage } from './wire.ts';

/*
 * The message definitions that a kafka-clients jar carries in common/message: JSON with comments, one file per
 * message. Only what matters on the wire is looked at.
 */

interface OfficialField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly flexibleVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly fields?: readonly OfficialField[];
}

interface OfficialMessage {
  readonly name: string;
  readonly apiKey?: number;
  readonly validVersions: string;
  readonly flexibleVersions?: string;
  readonly fields?: readonly OfficialField[];
  readonly commonStructs?: readonly { name: string; fields: readonly OfficialField[] }[];
}

/** Every message of the jar that has versions, by name. */
export function readOfficialMessages(jar: string): Map<string, WireMessage> {
  const files = readArchive(jar, (name) => /^common\/message\/\w+\.json$/.test(name));
  const messages = new Map<string, WireMessage>();
  for (const text of files.values()) {
    const official = JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as OfficialMessage; // the jar's own format
    if (official.validVersions === 'none') continue;
    messages.set(official.name, wireMessage(official));
  }
  return messages;
}

function wireMessage(official: OfficialMessage): WireMessage {
  const structs = new Map<string, readonly OfficialField[]>();
  for (const struct of official.commonStructs ?? []) structs.set(struct.name, struct.fields);
  return {
    name: official.name,
    key: official.apiKey ?? null,
    versions: range(official.validVersions),
    flexible: range(official.flexibleVersions),
    lines: (version) => lines(official.fields ?? [], structs, version, ''),
  };
}

function lines(
  fields: readonly OfficialField[],
  structs: ReadonlyMap<string, readonly OfficialField[]>,
  version: number,
  prefix: string,
): string[] {
  return fields
    .filter((field) => within(range(field.versions), version))
    .flatMap((field) => {
      const path = `${prefix}${field.name.charAt(0).toLowerCase()}${field.name.slice(1)}`;
      const type = field.type.replace('[]', '');
      const isStruct = /^[A-Z]/.test(type);
      const line = wireLine({
        path,
        type: isStruct ? 'struct' : type,
        array: field.type.startsWith('[]'),
        nullable: within(range(field.nullableVersions), version),
        tag: within(range(field.taggedVersions), version) ? (field.tag ?? null) : null,
        inflexible: field.flexibleVersions === 'none',
        defaultText: canonicalDefault(field.default === undefined ? null : String(field.default)),
      });
      if (!isStruct) return [line];
      const nested = field.fields ?? structs.get(type) ?? [];
      return [line, ...lines(nested, structs, version, `${path}.`)];
    });
}

function range(text: string | undefined): Range {
  if (text === undefined || text === 'none') return NONE;
  const [from = '', to = from] = text.split('-');
  if (text.endsWith('+')) return { from: Number.parseInt(text, 10), to: Infinity };
  return { from: Number(from), to: Number(to) };
}
