import type { Command } from 'commander';
import type { ConfigSources } from '../config/index.ts';
import { collect } from './options.ts';
import { usageError } from './exit-codes.ts';

/** The flags that say what the configuration is. */
export interface SourceOptions {
  readonly config?: string;
  readonly data?: string;
  readonly memory?: boolean;
  readonly listen?: readonly string[];
  readonly set?: readonly string[];
}

export function withConfigSources(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration in TOML (default: LYREBIRD_CONFIG)')
    .option(
      '-d, --data <folder>',
      'where data is kept; made when missing (default: ./lyrebird-data)',
    )
    .option('--memory', 'keep nothing on disk')
    .option(
      '-l, --listen <url>',
      'address to open, such as kafka://127.0.0.1:9092, and no others; repeatable',
      collect,
    )
    .option('-s, --set <key=value>', 'one key of the configuration; repeatable', collect);
}

export function configSources(
  environment: Readonly<Record<string, string | undefined>>,
  options: SourceOptions,
): ConfigSources {
  if (options.data !== undefined && options.memory === true) {
    throw usageError('--data and --memory exclude each other');
  }
  const flags: { key: string; value: unknown; flag: string }[] = [];
  for (const assignment of options.set ?? []) {
    const equals = assignment.indexOf('=');
    if (equals <= 0) throw usageError(`--set ${assignment}: expected key=value`);
    flags.push({
      key: assignment.slice(0, equals).trim(),
      value: assignment.slice(equals + 1),
      flag: '--set',
    });
  }
  if (options.data !== undefined) {
    flags.push({ key: 'storage.path', value: options.data, flag: '--data' });
    flags.push({ key: 'storage.driver', value: 'disk', flag: '--data' });
  }
  if (options.memory === true) {
    flags.push({ key: 'storage.driver', value: 'memory', flag: '--memory' });
  }
  if (options.listen !== undefined) {
    flags.push({ key: 'listeners', value: options.listen, flag: '--listen' });
  }
  const file = options.config ?? environment['LYREBIRD_CONFIG'];
  return { file: file === undefined || file === '' ? null : file, environment, flags };
}
