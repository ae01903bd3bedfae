import type { ContentHeader } from './content-header.ts';
import { FieldCursor } from './field-cursor.ts';
import type { FieldTable } from './field-table.ts';
import { PROPERTY, PROPERTY_COUNT, type BasicProperties } from './generated/basic-properties.ts';
import { Output } from './output.ts';
import type { OutputPool } from './output-pool.ts';
import { writeEntry } from './table-writer.ts';

/** What to change in a message's properties. What is not named stays as it is, byte for byte. */
export interface ContentChanges {
  /** Properties to replace or add; null takes one away. Headers are changed by the other two. */
  readonly properties?: Partial<Omit<BasicProperties, 'headers'>>;
  /** Keys of headers to take away. */
  readonly removeHeaders?: readonly string[];
  /** Headers to replace or add. They come behind those that stay. */
  readonly setHeaders?: FieldTable;
}

const FIXED = {
  [PROPERTY.deliveryMode]: 'octet',
  [PROPERTY.priority]: 'octet',
  [PROPERTY.timestamp]: 'timestamp',
} as const;
const NAMES = Object.keys(PROPERTY) as (keyof typeof PROPERTY)[];

/** The property section of a message with changes, as new bytes. */
export function rewriteContent(
  pool: OutputPool,
  header: ContentHeader,
  changes: ContentChanges,
): Buffer {
  const output = new Output(pool, null);
  const properties = changes.properties ?? {};
  const changesHeaders =
    (changes.setHeaders?.length ?? 0) > 0 || (changes.removeHeaders?.length ?? 0) > 0;
  let { flags } = header;
  for (let property = 0; property < PROPERTY_COUNT; property++) {
    const name = NAMES[property]!; // as many names as properties
    if (name === 'headers') continue;
    const value = properties[name];
    if (value === null) flags &= ~(0x8000 >> property);
    else if (value !== undefined) flags |= 0x8000 >> property;
  }
  if ((changes.setHeaders?.length ?? 0) > 0) flags |= 0x8000 >> PROPERTY.headers;
  output.short(flags);
  for (let property = 0; property < PROPERTY_COUNT; property++) {
    if ((flags & (0x8000 >> property)) === 0) continue;
    const name = NAMES[property]!; // as many names as properties
    const value = name === 'headers' ? undefined : properties[name];
    if (value !== undefined && value !== null) writeProperty(output, property, value);
    else if (name === 'headers' && changesHeaders) writeHeaders(output, header, changes);
    else output.bytes(header.buffer, header.starts[property]!, header.ends[property]!);
  }
  const section = output.toBuffer();
  output.flush();
  return section;
}

function writeProperty(output: Output, property: number, value: string | number): void {
  if (typeof value === 'string') output.shortstr(value);
  else if (FIXED[property as keyof typeof FIXED] === 'octet') output.octet(value);
  else output.timestamp(value);
}

/** Headers that stay are copied with key, type and value as one range each. */
function writeHeaders(output: Output, header: ContentHeader, changes: ContentChanges): void {
  const set = changes.setHeaders ?? [];
  const replaced = [...(changes.removeHeaders ?? []), ...set.map((entry) => entry.key)];
  const keys = replaced.map((key) => Buffer.from(key));
  const cursor = header.openHeaders(new FieldCursor());
  const position = output.frameBytes;
  output.long(0);
  while (cursor.next()) {
    if (keys.some((key) => cursor.keyIs(key))) continue;
    output.bytes(cursor.buffer, cursor.fieldStart, cursor.valueEnd);
  }
  for (const entry of set) writeEntry(output, entry.key, entry.field);
  output.patchLength(position);
}
