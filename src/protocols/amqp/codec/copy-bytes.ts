import assert from 'node:assert/strict';

/** Up to this size a loop beats a call into the runtime. */
const LOOP_BYTES_MAX = 24;

/** Copies bytes [start, end) of source to target, from position `at` on; there must be room. */
export function copyBytes(
  target: Buffer,
  at: number,
  source: Buffer,
  start: number,
  end: number,
): void {
  const size = end - start;
  // The view below knows the memory, not the bounds of source: a mistake would show what belongs to others.
  if (start < 0 || end > source.length) assert.fail('bytes outside their buffer');
  if (size > LOOP_BYTES_MAX) {
    // What Buffer.copy does, with less around it.
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, size), at);
    return;
  }
  for (let i = 0; i < size; i++) target[at + i] = source[start + i] as number; // inside the range
}
