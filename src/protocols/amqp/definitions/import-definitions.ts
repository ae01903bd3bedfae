import { Entry, EntryError, isObject } from './entry.ts';
import {
  importGlobalParameter,
  importParameter,
  importPermission,
  importPolicy,
  importTopicPermission,
  importUser,
  importVhost,
} from './import-security.ts';
import type { EntryImporter, ImportContext } from './importer.ts';
import { importBinding, importExchange, importQueue } from './import-topology.ts';
import type { DefinitionsPorts } from './ports.ts';
import { namespaceOf } from '../vhost.ts';

export type ImportOutcome =
  | {
      readonly status: 'ok';
      /** Entries taken, by section. */
      readonly counts: Readonly<Record<string, number>>;
      /** Entries left out on purpose, each with the reason. */
      readonly skipped: readonly string[];
    }
  /** The message names the entry. */
  | { readonly status: 'invalid'; readonly message: string };

interface Section {
  readonly name: string;
  readonly importer: EntryImporter;
  /** It has no place in a document about one virtual host. */
  readonly wholeBroker?: true;
  /** Its entries do not depend on each other: they share commits. */
  readonly together?: true;
}

/** In the order in which later ones need earlier ones. Policies come before queues: those are made with them in force. */
const SECTIONS: readonly Section[] = [
  { name: 'users', importer: importUser, wholeBroker: true, together: true },
  { name: 'vhosts', importer: importVhost, wholeBroker: true },
  { name: 'permissions', importer: importPermission, wholeBroker: true, together: true },
  { name: 'topic_permissions', importer: importTopicPermission, wholeBroker: true },
  { name: 'global_parameters', importer: importGlobalParameter, wholeBroker: true },
  { name: 'parameters', importer: importParameter },
  { name: 'policies', importer: importPolicy },
  { name: 'exchanges', importer: importExchange, together: true },
  { name: 'queues', importer: importQueue, together: true },
  { name: 'bindings', importer: importBinding, together: true },
];

const TOGETHER_MAX = 256;

/**
 * Takes in a document of definitions: the whole broker's, or (vhost given) one virtual host's. Doing it again changes
 * nothing. Stops at the first entry that cannot be taken; rejects only when storage fails.
 */
export async function importDefinitions(
  ports: DefinitionsPorts,
  document: unknown,
  vhost: string | null,
): Promise<ImportOutcome> {
  if (!isObject(document)) return { status: 'invalid', message: 'the document is not an object' };
  if (vhost !== null && !ports.broker.namespaces.has(namespaceOf(vhost))) {
    const message = `Please create virtual host "${vhost}" prior to importing definitions.`;
    return { status: 'invalid', message };
  }
  const version = document['rabbit_version'] ?? document['rabbitmq_version'];
  const context = { ports, version: typeof version === 'string' ? version : '' };
  const counts: Record<string, number> = {};
  const skipped: string[] = [];
  try {
    for (const section of SECTIONS) {
      if (vhost !== null && section.wholeBroker === true) continue;
      const entries = readSection(document, section.name, vhost);
      const reasons = await importSection(context, section, entries);
      if (entries.length > 0) counts[section.name] = entries.length - reasons.length;
      skipped.push(...reasons);
    }
  } catch (error) {
    if (!(error instanceof EntryError)) throw error;
    return { status: 'invalid', message: error.message };
  }
  for (const reason of skipped) {
    ports.broker.logger.warn('definitions.entry-skipped', 'an entry was not imported', { reason });
  }
  return { status: 'ok', counts, skipped };
}

function readSection(
  document: Readonly<Record<string, unknown>>,
  section: string,
  vhost: string | null,
): readonly Entry[] {
  const values = document[section] ?? [];
  if (!Array.isArray(values)) throw new EntryError(`${section}: a list expected`);
  const target = vhost === null ? null : namespaceOf(vhost);
  return values.map((value: unknown, index) => new Entry(value, { section, index, target }));
}

async function importSection(
  context: ImportContext,
  { importer, together }: Section,
  entries: readonly Entry[],
): Promise<readonly string[]> {
  const reasons: string[] = [];
  const step = together === true ? TOGETHER_MAX : 1;
  for (let start = 0; start < entries.length; start += step) {
    const batch = entries.slice(start, start + step);
    // All of them end before an error is told: nothing goes on behind the caller's back.
    const results = await Promise.allSettled(batch.map((entry) => importer(context, entry)));
    for (const [i, result] of results.entries()) {
      if (result.status === 'rejected') throw result.reason;
      if (result.value !== null) reasons.push(`${batch[i]?.place ?? ''}: ${result.value}`);
    }
  }
  return reasons;
}
