import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyFieldTable } from '../../../../test/support/amqp-values.ts';
import { ContentHeader } from '../codec/content-header.ts';
import { OutgoingContent } from '../codec/content-writer.ts';
import {
  NO_PROPERTIES,
  readBasicProperties,
  writeBasicProperties,
  type BasicProperties,
} from '../codec/generated/basic-properties.ts';
import { Output } from '../codec/output.ts';
import { OutputPool } from '../codec/output-pool.ts';
import { StreamSection } from './stream-section.ts';

const pool = new OutputPool();

const short = fc.option(fc.string({ maxLength: 20 }));
const anyProperties: fc.Arbitrary<BasicProperties> = fc
  .record({
    contentType: short,
    contentEncoding: short,
    headers: fc.option(anyFieldTable),
    deliveryMode: fc.option(fc.constantFrom(1, 2)),
    correlationId: short,
    timestamp: fc.option(fc.nat()),
    userId: short,
  })
  .map((given) => ({ ...NO_PROPERTIES, ...given }));

function contentWith(properties: BasicProperties): OutgoingContent {
  const output = new Output(pool, null);
  writeBasicProperties(output, properties);
  const content = new OutgoingContent();
  content.section = output.toBuffer();
  content.sectionEnd = content.section.length;
  output.flush();
  return content;
}

function read(content: OutgoingContent): BasicProperties {
  const header = new ContentHeader();
  header.parseSection(content.section, content.sectionStart, content.sectionEnd);
  header.checkHeaders();
  return readBasicProperties(header);
}

describe('StreamSection', () => {
  it('adds the place in the stream and leaves everything else as it is', () => {
    const section = new StreamSection(pool, new ContentHeader());
    fc.assert(
      fc.property(
        anyProperties,
        fc.maxSafeNat(),
        fc.integer({ min: -1, max: 99 }),
        (given, offset, partition) => {
          const content = contentWith(given);
          section.addTo(content, offset, partition);
          const added = [{ key: 'x-stream-offset', field: { type: 'l', value: offset } }];
          if (partition >= 0) {
            added.push({ key: 'x-stream-partition', field: { type: 'l', value: partition } });
          }
          assert.deepEqual(read(content), {
            ...given,
            headers: [...(given.headers ?? []), ...added],
          });
        },
      ),
    );
  });

  it('replaces the place in a stream that a message comes from', () => {
    const section = new StreamSection(pool, new ContentHeader());
    const content = contentWith(read(contentWith({ ...NO_PROPERTIES, type: 'first' })));
    section.addTo(content, 7, 2);
    const again = contentWith(read(content));
    section.addTo(again, 8, -1);
    assert.deepEqual(read(again), {
      ...NO_PROPERTIES,
      type: 'first',
      headers: [{ key: 'x-stream-offset', field: { type: 'l', value: 8 } }],
    });
  });
});
