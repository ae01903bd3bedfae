export {
  formatProblem,
  loadConfig,
  suggestKey,
  type Config,
  type ConfigProblem,
  type ConfigSources,
  type ConfigValue,
  type LoadedConfig,
} from './load.ts';
export { environmentName, type LayerName, type Origin } from './layers.ts';
export { parseListenerUrl, type ListenerConfig, type ListenerTls } from './listeners.ts';
export { configReference } from './reference.ts';
export { diffConfig, reloadConfig, type ConfigChange, type ReloadedConfig } from './reload.ts';
export { configJsonSchema, listSections, listSettings, type SettingInfo } from './schema.ts';
