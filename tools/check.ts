import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { checkLayers } from './layers.ts';
import { checkLockFile } from './lock-file.ts';
import { checkTidy } from './tidy.ts';

interface Check {
  readonly name: string;
  /** Problems found, one per line; none when all is well. */
  readonly run: () => string[];
}

function command(program: string, ...args: string[]): () => string[] {
  return () => {
    const run = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    return run.status === 0 ? [] : [`${run.stdout}${run.stderr}`.trim()];
  };
}

const BIN = 'node_modules';
const CHECKS: readonly Check[] = [
  {
    name: 'format',
    run: command(`${BIN}/prettier/bin/prettier.cjs`, '--check', '--log-level=warn', '.'),
  },
  { name: 'lint', run: command(`${BIN}/oxlint/bin/oxlint`, '--deny-warnings', '--quiet') },
  { name: 'types', run: command(`${BIN}/typescript/bin/tsc`, '--noEmit', '-p', '.') },
  { name: 'layers', run: checkLayers },
  { name: 'dead code', run: command(`${BIN}/knip/bin/knip.js`, '--no-progress') },
  {
    name: 'generated code',
    run: () => [
      ...command('--import=tsx', 'tools/kafka-codec/generate.ts', '--check')(),
      ...command('--import=tsx', 'tools/amqp-codec/generate.ts', '--check')(),
    ],
  },
  { name: 'lock file', run: checkLockFile },
  { name: 'tidy', run: checkTidy },
];

/** npm run check: every static rule of the project. One name as argument runs that check alone. */
function main(): void {
  const only = process.argv[2];
  let failed = 0;
  let passed = 0;
  for (const check of CHECKS) {
    if (only !== undefined && check.name !== only) continue;
    const startedMs = performance.now();
    const problems = check.run();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${check.name} (${seconds} s)`);
    for (const problem of problems) console.log(problem.replace(/^/gm, '     '));
    if (problems.length === 0) passed++;
    else failed++;
  }
  if (!existsSync('.git')) console.log('note: no git checkout, tidy looked at nothing');
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
