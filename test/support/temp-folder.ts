import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder of its own; remove() deletes it with everything in it. */
export interface TempFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'lyrebird-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
