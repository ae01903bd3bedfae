import { SeededRandom } from '../../base/random.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { engineContract } from '../../../test/support/engine-contract.ts';
import { SteppedClock } from '../../../test/support/stepped-clock.ts';
import { MemoryEngine } from './memory-engine.ts';

engineContract({
  name: 'memory engine',
  durable: false,
  storage: () => {
    const clock = new SteppedClock();
    const random = new SeededRandom(1);
    return Promise.resolve({
      clock,
      engine: (limits = {}) => new MemoryEngine({ clock, random, logger: silentLogger, ...limits }),
      dispose: () => Promise.resolve(),
    });
  },
});
