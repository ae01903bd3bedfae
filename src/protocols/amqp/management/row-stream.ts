import type { Json } from './json.ts';

/** About as much is made at a time. */
const CHUNK_CHARACTERS = 64 * 1024;

/** A JSON array, made as fast as it is read: a list of 100,000 queues is never in memory as a whole. */
export function rowStream(rows: Iterable<Json>): ReadableStream<Uint8Array> {
  const iterator = rows[Symbol.iterator]();
  const encoder = new TextEncoder();
  let opening = '[';
  return new ReadableStream({
    pull(controller) {
      let text = '';
      while (text.length < CHUNK_CHARACTERS) {
        const next = iterator.next();
        if (next.done === true) {
          controller.enqueue(encoder.encode(`${text}${opening === '[' ? '[' : ''}]`));
          controller.close();
          return;
        }
        text += opening + JSON.stringify(next.value);
        opening = ',';
      }
      controller.enqueue(encoder.encode(text));
    },
    cancel() {
      iterator.return?.();
    },
  });
}
