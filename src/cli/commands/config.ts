import type { Command } from 'commander';
import type { ConfigValue, LoadedConfig } from '../../config/index.ts';
import {
  adminClient,
  withExamples,
  withOutput,
  withServer,
  type ServerOptions,
} from '../options.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { printListing, type Column, type OutputOptions } from '../output.ts';
import type { ConfigEntry } from '../../admin/api.ts';
import { configSources, withConfigSources, type SourceOptions } from '../sources.ts';
import type { Terminal } from '../terminal.ts';

const NAME: Column<ConfigValue> = { title: 'KEY', value: (entry) => entry.key };
const VALUE: Column<ConfigValue> = { title: 'VALUE', value: (entry) => entry.text };
const ORIGIN: Column<ConfigValue> = {
  title: 'ORIGIN',
  value: ({ origin }) =>
    origin.source === null ? origin.layer : `${origin.layer} ${origin.source}`,
};

export function configCommands(program: Command, terminal: Terminal): void {
  const config = program.command('config').description('look at the configuration and check it');
  addShow(config, terminal);
  addGet(config, terminal);
  addValidate(config, terminal);
  config
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(async () => {
      const { configJsonSchema } = await import('../../config/index.ts');
      terminal.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    });
  config
    .command('reference')
    .description('print the reference of all keys as Markdown')
    .action(async () => {
      const { configReference } = await import('../../config/index.ts');
      terminal.out(configReference());
    });
}

function addShow(config: Command, terminal: Terminal): void {
  const command = config
    .command('show')
    .description('print what start would use, or what a running broker uses')
    .option('--origin', 'also say where each value comes from')
    .option('--changed', 'only what differs from the default')
    .option('--running', 'ask the running broker');
  withExamples(
    withServer(withConfigSources(withOutput(command))),
    'lyrebird config show --origin',
    'lyrebird config show --config /etc/lyrebird.toml --changed',
  );
  interface ShowOptions extends SourceOptions, OutputOptions, ServerOptions {
    origin?: boolean;
    changed?: boolean;
    running?: boolean;
  }
  command.action(async (options: ShowOptions) => {
    if (options.running === true) return showRunning(terminal, options);
    const { values } = await load(terminal, options);
    printListing(terminal, options, {
      name: 'config',
      rows:
        options.changed === true
          ? values.filter(({ origin }) => origin.layer !== 'default')
          : values,
      columns: options.origin === true ? [NAME, VALUE, ORIGIN] : [NAME, VALUE],
      key: (entry) => entry.key,
      empty: 'everything has its default',
    });
  });
}

async function showRunning(
  terminal: Terminal,
  options: ServerOptions & OutputOptions,
): Promise<void> {
  const { config } = await adminClient(terminal, options).get<{ config: ConfigEntry[] }>('/config');
  printListing(terminal, options, {
    name: 'config',
    rows: config,
    columns: [
      { title: 'KEY', value: (entry) => entry.name },
      { title: 'VALUE', value: (entry) => (entry.sensitive ? '(hidden)' : entry.value) },
      { title: 'ORIGIN', value: (entry) => entry.origin },
    ],
    key: (entry) => entry.name,
    empty: 'the broker shows no configuration',
  });
}

function addGet(config: Command, terminal: Terminal): void {
  const command = config.command('get <key>').description('print the value of one key');
  withExamples(withConfigSources(command), 'lyrebird config get storage.path');
  command.action(async (key: string, options: SourceOptions) => {
    const { values } = await load(terminal, options);
    const found = values.find((entry) => entry.key === key);
    if (found === undefined) {
      const { suggestKey } = await import('../../config/index.ts');
      const meant = suggestKey(key);
      const hint = meant === null ? 'lyrebird config show lists all' : `did you mean ${meant}?`;
      throw new CommandError(EXIT.notFound, `${key} is not a key`, { hint });
    }
    terminal.out(`${found.text}\n`);
  });
}

function addValidate(config: Command, terminal: Terminal): void {
  const command = config
    .command('validate')
    .description('check the configuration without starting; prints every problem');
  withExamples(withConfigSources(command), 'lyrebird config validate --config /etc/lyrebird.toml');
  command.action(async (options: SourceOptions) => {
    const { formatProblem } = await import('../../config/index.ts');
    const { LyrebirdError } = await import('../../base/errors.ts');
    try {
      await load(terminal, options);
    } catch (error) {
      if (!(error instanceof LyrebirdError) || error.code !== 'LB1001') throw error;
      const problems = error.details['problems'] as Parameters<typeof formatProblem>[0][];
      for (const problem of problems) terminal.out(`${formatProblem(problem)}\n`);
      const noun = problems.length === 1 ? 'problem' : 'problems';
      throw new CommandError(EXIT.failure, `${problems.length} ${noun}`, { code: 'LB1001' });
    }
    terminal.err('the configuration is valid\n');
  });
}

async function load(terminal: Terminal, options: SourceOptions): Promise<LoadedConfig> {
  const { loadConfig } = await import('../../config/index.ts');
  return loadConfig(configSources(terminal.environment, options));
}
