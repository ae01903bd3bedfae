import { locationFile, locationPosition } from '../journal/format.ts';
import type { ReplayFile } from './group-scanner.ts';

const PIECE_BYTES = 1 << 20;

/**
 * Writes what was replayed from a location on once more, in place. After a sync that failed, the system may call its
 * cached copy of a page clean although the disk never got it: only pages that are written again are synced again.
 */
export async function rewriteTail(files: readonly ReplayFile[], from: number): Promise<void> {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  for (const { file } of files) {
    if (file.number < locationFile(from)) continue;
    // A later file is as unproven as its groups, from its header on.
    const start = file.number === locationFile(from) ? locationPosition(from) : 0;
    for (let at = start; at < file.end; at += PIECE_BYTES) {
      const bytes = Math.min(PIECE_BYTES, file.end - at);
      const have = await file.handle.read(piece, bytes, at);
      await file.handle.write([piece.subarray(0, have)], at);
    }
  }
}
