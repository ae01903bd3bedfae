/**
 * Runs every test file of the project, each in a process of its own, and prints one line per file.
 *
 *   node --import tsx tools/test.ts [--only GLOB]... [--concurrency N] [--timeout SECONDS] [--coverage]
 *
 * Failures are printed wholly, with what their file wrote. The last line is `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['src', 'test'];
const FILE_TIMEOUT_S = 600;

interface Event {
  readonly name: string;
  readonly file?: string | undefined;
  readonly nesting: number;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string | undefined;
    readonly error?: Error | undefined;
  };
}

function testFiles(folder: string): string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) files.push(...testFiles(path));
    else if (entry.name.endsWith('.test.ts')) files.push(path);
  }
  return files.sort();
}

/** `*` stays within a folder, `**` does not; a pattern without either matches anywhere in the path. */
function globMatcher(glob: string): (path: string) => boolean {
  if (!/[*?]/.test(glob)) return (path) => path.includes(glob);
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*|\?/g, (token) =>
      token === '*' ? '[^/]*' : token === '?' ? '[^/]' : '(?:.*/)?',
    );
  const expression = new RegExp(`^${pattern}$`);
  return (path) => expression.test(path);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      concurrency: { type: 'string' },
      timeout: { type: 'string', default: String(FILE_TIMEOUT_S) },
      coverage: { type: 'boolean', default: false },
    },
  });
  return {
    matchers: values.only.map(globMatcher),
    concurrency: Number(values.concurrency ?? availableParallelism()),
    timeoutMs: Number(values.timeout) * 1000,
    coverage: values.coverage,
  };
}

/** Runs this tool again with c8 around it. */
function runWithCoverage(): number {
  const args = process.argv.slice(2).filter((argument) => argument !== '--coverage');
  const child = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules', 'c8', 'bin', 'c8.js'),
      '--include=src/**/*.ts',
      '--exclude=src/**/*.test.ts',
      '--reporter=text',
      '--reporter=lcov',
      process.execPath,
      '--import',
      'tsx',
      fileURLToPath(import.meta.url),
      ...args,
    ],
    { cwd: ROOT, stdio: 'inherit' },
  );
  return child.status ?? 1;
}

/** Counts and prints. Events of one file come together, in the order of the files. */
class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  private file = '';
  private fileTests = 0;
  private fileMs = 0;
  private failures: string[] = [];
  private output = '';

  onOutput(file: string | undefined, text: string): void {
    this.turnTo(file ?? this.file);
    this.output += text;
  }

  onResult(event: Event, ok: boolean): void {
    this.turnTo(event.file ?? this.file);
    if (event.nesting === 0) this.fileMs += event.details.duration_ms;
    if (event.details.type === 'suite' && ok) return;
    const isFile = event.nesting === 0 && event.name === event.file;
    if (isFile && ok) return; // a file without tests
    if (event.skip !== undefined || event.todo !== undefined) {
      this.skipped++;
      return;
    }
    if (ok) {
      this.passed++;
      this.fileTests++;
      return;
    }
    const error = event.details.error;
    if (error !== undefined && failureType(error) === 'subtestsFailed') return;
    this.failed++;
    this.failures.push(`✗ ${isFile ? 'the file itself' : event.name}\n${describe(error)}`);
  }

  finish(): void {
    this.turnTo('');
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
  }

  private turnTo(file: string): void {
    if (file === this.file) return;
    if (this.file !== '') this.printFile();
    this.file = file;
    this.fileTests = 0;
    this.fileMs = 0;
    this.failures = [];
    this.output = '';
  }

  private printFile(): void {
    const name = relative(ROOT, this.file).split(sep).join('/');
    const mark = this.failures.length === 0 ? '✓' : '✗';
    console.log(`${mark} ${name} (${this.fileTests} tests, ${Math.round(this.fileMs)} ms)`);
    if (this.failures.length === 0) return;
    for (const failure of this.failures) console.log(indent(failure));
    if (this.output !== '') console.log(indent(`output of the file:\n${this.output.trimEnd()}`));
  }
}

function failureType(error: Error): unknown {
  return (error as { failureType?: unknown }).failureType;
}

/** The error that the test threw; the runner wraps it into one of its own. */
function describe(error: Error | undefined): string {
  const inner: unknown = error?.cause ?? error;
  return typeof inner === 'string' ? inner : inspect(inner, { depth: 6 });
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.coverage) return runWithCoverage();
  // Settings of the person's own broker must not reach the brokers under test.
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('LYREBIRD_')) delete process.env[name];
  }
  const files = FOLDERS.flatMap(testFiles).filter(
    (file) => options.matchers.length === 0 || options.matchers.some((matches) => matches(file)),
  );
  if (files.length === 0) {
    console.error('no test file matches');
    return 2;
  }
  const report = new Report();
  const stream = run({
    files: files.map((file) => join(ROOT, file)),
    concurrency: options.concurrency,
    timeout: options.timeoutMs,
  });
  for await (const { type, data } of stream as AsyncIterable<{ type: string; data: unknown }>) {
    if (type === 'test:pass') report.onResult(data as Event, true);
    else if (type === 'test:fail') report.onResult(data as Event, false);
    else if (type === 'test:stdout' || type === 'test:stderr') {
      const { file, message } = data as { file?: string; message: string };
      report.onOutput(file, message);
    }
  }
  report.finish();
  return report.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
