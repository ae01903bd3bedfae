import type { Entry } from './entry.ts';
import type { DefinitionsPorts } from './ports.ts';

/** What importing one entry needs. */
export interface ImportContext {
  readonly ports: DefinitionsPorts;
  /** rabbit_version of the document; '' when it does not say. */
  readonly version: string;
}

/** null: taken; else why it was left out. Throws an EntryError when it cannot be taken. */
export type EntryImporter = (context: ImportContext, entry: Entry) => Promise<string | null>;
