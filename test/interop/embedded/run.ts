/**
 * The packed package in a project of its own: npm run interop:embedded -- [--only REGEX] [--scratch DIR]
 *
 * Packs this package, installs it with test runners and a compiler from the registry into a scratch folder outside
 * the repository, and runs every case there. Ends with `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SECONDS_MAX = 300;
const PACKAGE_BYTES_MAX = 1024 * 1024;
/** Vitest 4 is the last one that runs on Node 20. */
const TOOLS = {
  '@types/node': '20.19.43',
  jest: '30.5.2',
  kafkajs: '2.2.4',
  typescript: '6.0.3',
  vitest: '4.1.12',
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    scratch: { type: 'string', default: join(tmpdir(), 'lyrebird-interop', 'embedded') },
  },
});
const project = values.scratch;

function run(
  program: string,
  args: readonly string[],
  options: { folder?: string; environment?: Readonly<Record<string, string>> } = {},
): string {
  const child = spawnSync(program, args, {
    cwd: options.folder ?? project,
    env: { ...process.env, ...options.environment },
    encoding: 'utf8',
    timeout: SECONDS_MAX * 1000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (child.status === 0) return child.stdout;
  const how = child.error?.message ?? child.signal ?? `exit code ${child.status}`;
  throw new Error(`${program} ${args.join(' ')}: ${how}\n${child.stdout}${child.stderr}`);
}

const inProject = (path: string): string => join(project, 'node_modules', path);
const node = (...args: string[]): string => run(process.execPath, args);

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

function pack(): Packed {
  run('npm', ['run', '--silent', 'build'], { folder: ROOT });
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const answer = JSON.parse(run('npm', args, { folder: ROOT })) as
    readonly Packed[] | Readonly<Record<string, Packed>>;
  // npm 11 answers with an object by package name, those before it with a list.
  const [packed] = Object.values(answer);
  if (packed === undefined) throw new Error('npm packed nothing');
  return packed;
}

/** The tools stay from run to run; the package is always installed anew. */
function install(packed: Packed): void {
  const manifest = `${JSON.stringify({ private: true, type: 'module', dependencies: TOOLS })}\n`;
  const file = join(project, 'package.json');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  if (!existsSync(file) || !existsSync(inProject('vitest'))) {
    writeFileSync(file, manifest);
    run('npm', ['install', ...quiet]);
  }
  rmSync(inProject('lyrebird'), { recursive: true, force: true });
  run('npm', ['install', ...quiet, '--no-save', join(project, packed.filename)]);
  cpSync(fileURLToPath(new URL('consumer/', import.meta.url)), project, { recursive: true });
}

function checkFiles({ files, size }: Packed): void {
  const foreign = files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(dist\/.+\.(js|d\.ts)|bin\/.+|docs\/reference\/errors\.md|[^/]+\.(md|json)|LICENSE)$/.test(
          path,
        ) || /\.test\./.test(path),
    );
  if (foreign.length > 0) throw new Error(`packed without need: ${foreign.join(', ')}`);
  if (size > PACKAGE_BYTES_MAX)
    throw new Error(`${size} bytes packed, ${PACKAGE_BYTES_MAX} at most`);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  const paths = new Set(files.map(({ path }) => `./${path}`));
  for (const entry of Object.values(manifest.exports)) {
    for (const path of typeof entry === 'string' ? [entry] : Object.values(entry)) {
      if (!paths.has(path)) throw new Error(`${path} is exported but not packed`);
    }
  }
}

function checkExecutable(): void {
  const bin = inProject(join('.bin', 'lyrebird'));
  if (!/^lyrebird \d/.test(run(bin, ['version']))) throw new Error('version says something else');
  if (!run(bin, ['explain', 'LB1002']).startsWith('LB1002: '))
    throw new Error('explain has no text');
  run(bin, ['config', 'validate', '--memory']);
}

function checkTypes(module: string, moduleResolution: string): void {
  const config = `tsconfig.${moduleResolution}.json`;
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    module,
    moduleResolution,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    // Only our declarations are to be looked into: Vitest's and its dependencies' are not ours to check.
    skipLibCheck: true,
  };
  writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
  node(inProject('typescript/bin/tsc'), '-p', config);
}

/** The declarations themselves, without anybody else's. */
function checkDeclarations(): void {
  const config = 'tsconfig.declarations.json';
  const exported = ['index', 'testing/node-test', 'testing/vitest', 'testing/jest'];
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'ESNext.Disposable'],
    module: 'node16',
    types: ['node'],
    strict: true,
    noEmit: true,
  };
  const files = exported.map((name) => inProject(`lyrebird/dist/${name}.d.ts`));
  writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files }));
  node(inProject('typescript/bin/tsc'), '-p', config);
}

function runVitest(file: string, ...more: string[]): void {
  node(inProject('vitest/vitest.mjs'), 'run', '--root', project, ...more, file);
}

function runJest(file: string, ...more: string[]): void {
  const config = JSON.stringify({ rootDir: project, transform: {}, testMatch: [`**/${file}`] });
  const jest = inProject('jest/bin/jest.js');
  node('--experimental-vm-modules', '--no-warnings', jest, '--config', config, ...more);
}

function cases(packed: Packed): Readonly<Record<string, () => void>> {
  return {
    'packed files': () => checkFiles(packed),
    executable: checkExecutable,
    'createBroker with kafkajs': () => node('plain.mjs'),
    'node:test': () => node('--test', 'node-test.mjs'),
    'Vitest, imported hooks': () => runVitest('vitest-imports.spec.mjs'),
    'Vitest, global hooks': () => runVitest('vitest-globals.spec.mjs', '--globals'),
    'Jest, imported hooks': () => runJest('jest-imports.spec.mjs', '--injectGlobals=false'),
    'Jest, global hooks': () => runJest('jest-globals.spec.mjs'),
    'types, node16': () => checkTypes('node16', 'node16'),
    'types, nodenext': () => checkTypes('nodenext', 'nodenext'),
    'types, bundler': () => checkTypes('esnext', 'bundler'),
    'types, declarations checked': checkDeclarations,
  };
}

function main(): void {
  mkdirSync(project, { recursive: true });
  const packed = pack();
  install(packed);
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(cases(packed))) {
    if (!new RegExp(values.only, 'i').test(name)) continue;
    const startedMs = performance.now();
    let problem = '';
    try {
      check();
      passed++;
    } catch (error) {
      failed++;
      problem = (error as Error).message;
    }
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`${problem === '' ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    if (problem !== '') console.log(problem.replace(/^/gm, '     '));
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
