import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { LocalEngine } from '../storage/local-engine.ts';
import { MemoryEngine } from '../storage/memory/memory-engine.ts';
import { createNodeFileSystem } from '../storage/node-file-system.ts';
import type { LogEngine } from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StorageSpec } from './options.ts';

/** The log engine for a place to keep data; not open yet. */
export function createEngine(
  storage: StorageSpec,
  parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly logger: Logger;
    readonly nodeId: number;
  },
): LogEngine {
  if (storage.kind === 'memory') return new MemoryEngine({ ...storage.limits, ...parts });
  const { path: folder, limits } = storage;
  return new LocalEngine({ ...limits, ...parts, folder, fileSystem: createNodeFileSystem() });
}
