import type { DecompressionDefect } from './index.ts';

/** Ends the decoding of hostile or damaged zstd; never leaves this folder. */
export class ZstdError extends Error {
  readonly defect: DecompressionDefect;

  constructor(defect: DecompressionDefect) {
    super(defect);
    this.defect = defect;
  }
}

export function corruptIf(condition: boolean): void {
  if (condition) throw new ZstdError('corrupt');
}
