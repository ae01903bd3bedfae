import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';

/** A page of documentation that several commands write their part of, each between two comments. */
export interface Page {
  readonly path: string;
  /** The parts in the order in which they stand. */
  readonly sections: readonly string[];
  /** What stands before all parts. */
  readonly head: string;
}

const opening = (section: string): string => `<!-- ${section} -->`;
const closing = (section: string): string => `<!-- end of ${section} -->`;

/** Replaces one part and leaves the others as they are. */
export async function writeSection(page: Page, section: string, markdown: string): Promise<void> {
  const old = existsSync(page.path) ? readFileSync(page.path, 'utf8') : '';
  const parts = page.sections.flatMap((name) => {
    const text = name === section ? markdown : textOf(old, name);
    return text === null ? [] : [opening(name), '', text.trim(), '', closing(name), ''];
  });
  const text = [page.head.trim(), '', ...parts].join('\n');
  writeFileSync(page.path, await format(text, { parser: 'markdown' }));
}

function textOf(page: string, section: string): string | null {
  const from = page.indexOf(opening(section));
  const to = page.indexOf(closing(section));
  return from < 0 || to < from ? null : page.slice(from + opening(section).length, to);
}
