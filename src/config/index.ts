export {
  formatProblem,
  loadConfig,
  suggestKey,
  type Config,
  type ConfigSources,
  type ConfigValue,
  type LoadedConfig,
} from './load.ts';
export type { ListenerConfig } from './listeners.ts';
export { configReference } from './reference.ts';
export { reloadConfig } from './reload.ts';
export { configJsonSchema, listSettings } from './schema.ts';
