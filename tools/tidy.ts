import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { ERROR_CODES } from '../src/base/error-codes.ts';

const FILE_LINES_MAX = 600;
/** Assembled from halves, so that this file does not find itself. */
const joined = (...halves: readonly (readonly [string, string])[]): string =>
  halves.map((pair) => pair.join('')).join('|');
const MARKERS = new RegExp(
  `\\b(${joined(['TO', 'DO'], ['FIX', 'ME'], ['XX', 'X'], ['HA', 'CK'])})\\b`,
);
const FOREIGN_PATHS = new RegExp(joined(['/wo', 'rk/'], ['/ro', 'ot/']));

function trackedFiles(): string[] {
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => path !== '' && existsSync(path));
}

function checkFile(path: string, problems: string[]): void {
  const text = readFileSync(path, 'utf8');
  const generated = path.includes('/generated/');
  if (/\.tsx?$/.test(path) && !generated) {
    const lines = text.split('\n').length - 1;
    if (lines > FILE_LINES_MAX) problems.push(`${path}: ${lines} lines, ${FILE_LINES_MAX} at most`);
  }
  text.split('\n').forEach((line, index) => {
    if (!generated && MARKERS.test(line)) problems.push(`${path}:${index + 1}: left-over marker`);
    if (FOREIGN_PATHS.test(line)) problems.push(`${path}:${index + 1}: a path of one machine`);
  });
}

function checkErrorCodes(problems: string[]): void {
  const documented = new Set(
    [...readFileSync('docs/reference/errors.md', 'utf8').matchAll(/^## (LB\d{4})$/gm)].map(
      (match) => match[1] ?? '',
    ),
  );
  for (const code of Object.keys(ERROR_CODES)) {
    if (!documented.has(code)) problems.push(`docs/reference/errors.md: ${code} is not documented`);
    documented.delete(code);
  }
  for (const code of documented) problems.push(`docs/reference/errors.md: ${code} does not exist`);
}

function checkReadmes(files: readonly string[], problems: string[]): void {
  const folders = new Set(
    files.map((path) => /^(src\/(?:protocols\/)?[^/]+)\/.+/.exec(path)?.[1] ?? ''),
  );
  for (const folder of folders) {
    if (folder === '' || folder === 'src/protocols') continue;
    if (!existsSync(`${folder}/README.md`)) problems.push(`${folder}: no README.md`);
  }
}

function checkLinks(files: readonly string[], problems: string[]): void {
  for (const path of files.filter((file) => file.endsWith('.md'))) {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    for (const match of readFileSync(path, 'utf8').matchAll(
      /\]\((?!https?:|#|mailto:)([^)#\s]+)/g,
    )) {
      const target = match[1] ?? '';
      if (!existsSync(folder + target)) problems.push(`${path}: link to ${target} leads nowhere`);
    }
  }
}

/** House rules that no linter knows; returns the problems found. */
export function checkTidy(): string[] {
  const problems: string[] = [];
  const files = trackedFiles();
  for (const path of files) {
    if (
      /\.(ts|tsx|mjs|cjs|js|md|sh|toml|yml|yaml|json)$/.test(path) &&
      path !== 'package-lock.json'
    ) {
      checkFile(path, problems);
    }
  }
  checkErrorCodes(problems);
  checkReadmes(files, problems);
  checkLinks(files, problems);
  return problems;
}
