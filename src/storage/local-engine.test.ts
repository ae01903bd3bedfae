import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '../base/random.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { engineContract } from '../../test/support/engine-contract.ts';
import { SteppedClock } from '../../test/support/stepped-clock.ts';
import { LocalEngine } from './local-engine.ts';
import { createNodeFileSystem } from './node-file-system.ts';

engineContract({
  name: 'local engine',
  durable: true,
  storage: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lyrebird-engine-'));
    const clock = new SteppedClock();
    const random = new SeededRandom(1);
    const fileSystem = createNodeFileSystem();
    const fixed = { folder, fileSystem, clock, random, logger: silentLogger, reservedBytes: 0 };
    return {
      clock,
      engine: ({ memoryBytesMax } = {}) =>
        new LocalEngine(
          memoryBytesMax === undefined ? fixed : { ...fixed, memoryLogBytes: memoryBytesMax },
        ),
      dispose: () => rm(folder, { recursive: true }),
    };
  },
});
