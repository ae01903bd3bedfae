import { LocalEngine } from '../../src/storage/local-engine.ts';
import { EarlySyncFileSystem } from './canary.ts';
import type { EngineFactory } from './world.ts';

/** The engine under test. */
export const localEngine: EngineFactory = ({ limits, ...environment }) =>
  new LocalEngine({ ...limits, ...environment });

/** The same engine, acknowledging before its syncs are done. */
export const canaryEngine: EngineFactory = ({ fileSystem, ...environment }) =>
  localEngine({ ...environment, fileSystem: new EarlySyncFileSystem(fileSystem) });
