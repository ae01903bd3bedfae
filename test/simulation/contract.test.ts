import { SeededRandom } from '../../src/base/random.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { engineContract } from '../support/engine-contract.ts';
import { SteppedClock } from '../support/stepped-clock.ts';
import { SimDisk } from './disk.ts';
import { inTurns } from './in-turns.ts';
import { NO_FAULTS, SimFileSystem } from './sim-file-system.ts';

engineContract({
  name: 'local engine on a simulated disk',
  durable: true,
  storage: () => {
    const disk = new SimDisk(1 << 30);
    const clock = new SteppedClock();
    const random = new SeededRandom(1);
    const fileSystem = new SimFileSystem({
      disk,
      scheduler: inTurns,
      process: { number: 1, alive: true },
      random,
      faults: NO_FAULTS,
      writesNow: true,
      tellsBoots: true,
      onChange: null,
      onMisuse: (message) => {
        throw new Error(message);
      },
    });
    const fixed = { folder: '/data', fileSystem, clock, random, logger: silentLogger };
    const small = { reservedBytes: 0, cacheBytes: 64 << 10, blockBytes: 4096, runBytesMax: 1024 };
    return Promise.resolve({
      clock,
      engine: ({ memoryBytesMax = 1 << 20 } = {}) =>
        new LocalEngine({ ...fixed, ...small, memoryLogBytes: memoryBytesMax }),
      dispose: () => Promise.resolve(),
    });
  },
});
