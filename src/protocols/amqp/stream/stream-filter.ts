import type { RecordCursor } from '../../../base/records.ts';
import { VarintReader } from '../../../base/varint.ts';
import { tableGet, type FieldTable, type FieldValue } from '../codec/field-table.ts';

/** The header by which publishers say what a message is about. */
const VALUE_HEADER = Buffer.from('x-stream-filter-value');

/** Which messages of a stream a consumer wants: those with one of the values, and, where it says so, those without any. */
export class StreamFilter {
  private readonly values: readonly Buffer[];
  private readonly matchUnfiltered: boolean;

  constructor(values: readonly string[], matchUnfiltered: boolean) {
    this.values = values.map((value) => Buffer.from(value));
    this.matchUnfiltered = matchUnfiltered;
  }

  /** Looks at the record's headers as they are: nothing is decoded. */
  matches(record: RecordCursor): boolean {
    const { buffer } = record;
    const reader = new VarintReader(buffer, record.headersStart, buffer.length);
    for (let i = 0; i < record.headerCount; i++) {
      const nameBytes = reader.readVarint();
      const nameStart = reader.position;
      reader.position += nameBytes;
      const valueBytes = reader.readVarint();
      const valueStart = reader.position;
      if (reader.failed) return false;
      reader.position += Math.max(valueBytes, 0);
      if (!isRange(VALUE_HEADER, buffer, nameStart, nameBytes)) continue;
      return this.values.some((value) => isRange(value, buffer, valueStart, valueBytes));
    }
    return this.matchUnfiltered;
  }
}

function isRange(bytes: Buffer, buffer: Buffer, start: number, length: number): boolean {
  return (
    length === bytes.length &&
    start + length <= buffer.length &&
    bytes.compare(buffer, start, start + length) === 0
  );
}

/** The arguments x-stream-filter and x-stream-match-unfiltered: null: no filter; a text: what is wrong with them. */
export function parseStreamFilter(table: FieldTable): StreamFilter | null | string {
  const wanted = tableGet(table, 'x-stream-filter');
  if (wanted === null) return null;
  const fields: readonly FieldValue[] = wanted.type === 'A' ? wanted.value : [wanted];
  const values: string[] = [];
  for (const { value } of fields) {
    if (typeof value !== 'string') return 'x-stream-filter';
    values.push(value);
  }
  const unfiltered = tableGet(table, 'x-stream-match-unfiltered');
  if (unfiltered !== null && unfiltered.type !== 't') return 'x-stream-match-unfiltered';
  return new StreamFilter(values, unfiltered?.value === true);
}
