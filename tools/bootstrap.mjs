#!/usr/bin/env node
// Prepares a clone and runs one task: node tools/bootstrap.mjs start|test|build|check [arguments].
// Depends on nothing but Node, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const LOCK_FILE = join(ROOT, 'package-lock.json');
const DIST = join(ROOT, 'dist');
const INSTALL_STAMP = join(MODULES, '.lyrebird-install');
const BUILD_STAMP = join(DIST, '.stamp');
const TASKS = ['start', 'test', 'build', 'check'];

/** Says why Node cannot run the project, or null. */
function nodeProblem() {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [major = 0, minor = 0] = manifest.engines.node
    .replace(/[^\d.]/g, '')
    .split('.')
    .map(Number);
  const [haveMajor = 0, haveMinor = 0] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return null;
  return `Lyrebird needs Node.js ${major}.${minor} or newer; this is ${process.versions.node}.`;
}

function fail(message, code = 1) {
  process.stderr.write(`bootstrap: ${message}\n`);
  process.exit(code);
}

function spawnIn(command, args, stdio) {
  const shell = process.platform === 'win32' && command === 'npm';
  return spawnSync(command, args, { cwd: ROOT, stdio, shell });
}

function succeeds(command, args) {
  return spawnIn(command, args, 'ignore').status === 0;
}

/** Runs a command with this terminal; ends the process with its code when it fails. */
function run(command, args, what) {
  const child = spawnIn(command, args, ['inherit', 2, 2]);
  if (child.error) fail(`${what}: ${child.error.message}`);
  if (child.status !== 0) fail(`${what} failed`, child.status ?? 1);
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(relative(ROOT, file).split(sep).join('/')).update('\0');
    hash.update(existsSync(file) ? readFileSync(file) : '').update('\0');
  }
  return hash.digest('hex');
}

const readStamp = (file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : null);

/** Installs the dependencies when node_modules is missing or does not belong to the lock file. */
function ensureInstalled() {
  // npm would empty the folder that a link leads to: whoever made the link keeps it up to date.
  if (lstatSync(MODULES, { throwIfNoEntry: false })?.isSymbolicLink() === true) return;
  const wanted = hashOf([LOCK_FILE, join(ROOT, 'package.json')]);
  if (readStamp(INSTALL_STAMP) === wanted) return;
  // npm keeps a copy of the lock beside what it installed: newer than ours means that somebody ran npm himself.
  const installed = join(MODULES, '.package-lock.json');
  const hasLock = existsSync(LOCK_FILE);
  const current =
    existsSync(installed) &&
    (!hasLock || statSync(installed).mtimeMs >= statSync(LOCK_FILE).mtimeMs - 1000);
  if (!current) {
    process.stderr.write('bootstrap: installing dependencies\n');
    // A registry that lacks a package the lock file pins for this platform: npm install leaves out what is optional.
    if (!hasLock || !succeeds('npm', ['ci'])) run('npm', ['install', '--no-save'], 'npm install');
  }
  writeFileSync(INSTALL_STAMP, `${hashOf([LOCK_FILE, join(ROOT, 'package.json')])}\n`);
}

function sourceFiles(folder) {
  const files = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...sourceFiles(path));
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) files.push(path);
  }
  return files.sort();
}

/** Compiles src into dist when dist is missing or was made from other sources. */
function ensureBuilt() {
  const configs = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const wanted = hashOf([
    ...configs.map((name) => join(ROOT, name)),
    ...sourceFiles(join(ROOT, 'src')),
  ]);
  if (readStamp(BUILD_STAMP) === wanted) return;
  process.stderr.write('bootstrap: building\n');
  // Compiled beside dist and renamed: a failed build leaves the old one, a removed source leaves no output behind.
  const fresh = join(ROOT, `dist-${process.pid}`);
  const old = `${fresh}-old`;
  const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
  try {
    run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], 'build');
    writeFileSync(join(fresh, '.stamp'), `${wanted}\n`);
    if (existsSync(DIST)) renameSync(DIST, old);
    renameSync(fresh, DIST);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** Runs a TypeScript tool of this folder in a process of its own and ends with its code. */
function runTool(name, args, environment = {}) {
  const child = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'tools', name), ...args],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...environment } },
  );
  if (child.error) fail(child.error.message);
  process.exitCode = child.status ?? 1;
}

const [task = '', ...args] = process.argv.slice(2);
if (!TASKS.includes(task))
  fail(`usage: node tools/bootstrap.mjs ${TASKS.join('|')} [arguments]`, 2);
const problem = nodeProblem();
if (problem !== null) fail(problem);
ensureInstalled();
if (task === 'check') {
  runTool('check.ts', args);
} else {
  ensureBuilt();
  // Tests that start the executable may rely on it.
  if (task === 'test') runTool('test.ts', args, { TEST_BUILT: '1' });
  if (task === 'start') {
    // In this process: signals need no forwarding, and nothing is left behind when the parent dies.
    const main = join(DIST, 'cli', 'main.js');
    process.argv = [process.execPath, main, 'start', ...args];
    performance.mark('lyrebird-start');
    await import(pathToFileURL(main).href);
  }
}
