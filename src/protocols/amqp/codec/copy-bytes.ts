/** Up to this size a loop beats the call to Buffer.copy. */
const LOOP_BYTES_MAX = 16;

/** Copies bytes [start, end) of source to target, from position `at` on; there must be room. */
export function copyBytes(
  target: Buffer,
  at: number,
  source: Buffer,
  start: number,
  end: number,
): void {
  const size = end - start;
  if (size > LOOP_BYTES_MAX) {
    source.copy(target, at, start, end);
    return;
  }
  for (let i = 0; i < size; i++) target[at + i] = source[start + i] as number; // inside the range
}
