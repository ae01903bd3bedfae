import type { Command } from 'commander';
import { withOutput } from '../options.ts';
import { printObject, type OutputOptions } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../../server/version.ts';

export function versionCommand(program: Command, terminal: Terminal): void {
  const command = program.command('version').description('print the version');
  withOutput(command).action((options: OutputOptions) => {
    const version = {
      version: packageVersion(),
      node: process.version,
      platform: process.platform,
    };
    printObject(terminal, options, version, () => `lyrebird ${version.version}\n`);
  });
}
