import { exportDefinitions } from '../../definitions/export-definitions.ts';
import { importDefinitions } from '../../definitions/import-definitions.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { noVhost, parseJson } from './outcomes.ts';

export const DEFINITION_VERBS: readonly Verb[] = [
  {
    name: 'export_definitions',
    usage: '<file> | -',
    arguments: { min: 0, max: 1 },
    // The caller has the file system: it writes what is printed where it was asked to.
    run: ({ management, options }) => {
      const vhost = options.values.get('vhost') ?? null;
      const document = exportDefinitions(management, vhost, {
        version: management.announcedVersion,
      });
      if (document === null) throw new CtlError(CTL_EXIT.noUser, noVhost(vhost ?? ''));
      return lines(null, JSON.stringify(document));
    },
  },
  {
    name: 'import_definitions',
    usage: '<file> [--skip-if-exists]',
    arguments: { min: 0, max: 1 },
    run: importFile,
  },
];

async function importFile({ management, args, input, options }: CtlCall): Promise<CtlReply> {
  const [file = '-'] = args;
  const banner = `Importing definitions in JSON from ${file === '-' ? 'standard input' : `a file at "${file}"`} ...`;
  if (input === null) throw new CtlError(CTL_EXIT.data, 'there is nothing to import', banner);
  const vhost = options.values.get('vhost') ?? null;
  const outcome = await importDefinitions(management, parseJson(input, banner), vhost);
  if (outcome.status === 'invalid') throw new CtlError(CTL_EXIT.data, outcome.message, banner);
  return lines(banner, `Successfully started definition import.`);
}
