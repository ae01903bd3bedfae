import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ERROR_CODES } from '../../base/error-codes.ts';
import { withExamples } from '../options.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { renderFacts } from '../output.ts';
import type { Terminal } from '../terminal.ts';

export function explainCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('explain [code]')
    .description('say what an error code means and what to do; without a code, list all');
  withExamples(command, 'lyrebird explain LB1002');
  command.action((code: string | undefined) => {
    if (code === undefined) {
      terminal.out(renderFacts(Object.entries(ERROR_CODES)));
      return;
    }
    const wanted = /^\d{4}$/.test(code) ? `LB${code}` : code.toUpperCase();
    const section = findSection(wanted);
    if (section === null) {
      throw new CommandError(EXIT.notFound, `there is no error code ${wanted}`, {
        hint: 'lyrebird explain lists all',
      });
    }
    const title = (ERROR_CODES as Readonly<Record<string, string>>)[wanted] ?? '';
    terminal.out(`${wanted}: ${title}\n\n${section}\n`);
  });
}

/** The text below the code's heading in the reference of errors. */
function findSection(code: string): string | null {
  const page = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
  const sections = page.split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`${code}\n`));
  return section === undefined ? null : section.slice(code.length).trim();
}
