import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasProgram } from '../../../support/kafka-jars.ts';
import { mustRun, runProgram, type Outcome, type Suite, type TestResult } from './suite.ts';

const VERSION = '4.12.3';
const FEATURES = ['--no-default-features', '--features', 'tokio'];
/** Wants another runtime than the one the crate is built with here. */
const OTHER_RUNTIME = ['smol'];

interface Manifest {
  readonly packages: readonly { readonly name: string; readonly manifest_path: string }[];
}

export const lapin: Suite = {
  name: 'lapin',
  title: `lapin ${VERSION} (Rust): the integration tests of the crate, with the tokio runtime`,
  onRabbitMq: 'all 16 pass',

  async install(folder) {
    if (!hasProgram('cargo')) return 'needs cargo';
    const stamp = join(folder, '.installed');
    if (existsSync(stamp)) return null;
    rmSync(join(folder, 'src'), { recursive: true, force: true });
    const getter = join(folder, 'get');
    mkdirSync(join(getter, 'src'), { recursive: true });
    writeFileSync(join(getter, 'src/lib.rs'), '');
    writeFileSync(
      join(getter, 'Cargo.toml'),
      `[package]\nname = "get"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nlapin = "=${VERSION}"\n`,
    );
    const step = { cwd: getter, secondsMax: 600, log: join(folder, 'fetch.log') };
    await mustRun('cargo', ['fetch'], step);
    const metadata = await mustRun('cargo', ['metadata', '--quiet', '--format-version', '1'], {
      ...step,
      log: join(folder, 'metadata.json'),
    });
    const { packages } = JSON.parse(metadata) as Manifest;
    const crate = packages.find(({ name }) => name === 'lapin');
    if (crate === undefined) throw new Error('cargo fetched no lapin');
    const source = join(folder, 'src');
    cpSync(dirname(crate.manifest_path), source, { recursive: true });
    await mustRun('chmod', ['-R', 'u+w', source], step);
    await mustRun('cargo', ['test', '-j1', ...FEATURES, '--tests', '--no-run'], {
      cwd: source,
      environment: { CARGO_TARGET_DIR: join(folder, 'target') },
      secondsMax: 1800,
      log: join(folder, 'build.log'),
    });
    writeFileSync(stamp, '');
    return null;
  },

  async run({ target, folder, only }) {
    const source = join(folder, 'src');
    const results: TestResult[] = [];
    for (const file of readdirSync(join(source, 'tests')).sort()) {
      const binary = file.replace(/\.rs$/, '');
      if (OTHER_RUNTIME.includes(binary)) continue;
      const runTests = (args: readonly string[], log: string): ReturnType<typeof runProgram> =>
        runProgram('cargo', ['test', '--quiet', ...FEATURES, '--test', binary, '--', ...args], {
          cwd: source,
          environment: {
            CARGO_TARGET_DIR: join(folder, 'target'),
            AMQP_ADDR: `${target.url}/%2f`,
            NO_COLOR: '1',
          },
          secondsMax: 120,
          log: join(folder, log),
        });
      const list = await runTests(['--list', '--format', 'terse'], `${binary}.list`);
      const tests = [...list.output.matchAll(/^(\S+): test$/gm)].map(([, test]) => test ?? '');
      for (const test of tests) {
        const name = `${binary}::${test}`;
        if (only !== null && !only.test(name)) continue;
        const log = `${binary}.${test}.log`;
        const { status, output } = await runTests(['--exact', test], log);
        results.push({ name, ...judge(status, output) });
      }
    }
    return results;
  },
};

function judge(status: number | null, output: string): { outcome: Outcome; detail: string } {
  if (status === 0) {
    return { outcome: / 1 ignored/.test(output) ? 'SKIP' : 'PASS', detail: '' };
  }
  const panic = output.split('\n').find((line) => /panicked at|^Error:/.test(line)) ?? '';
  return { outcome: 'FAIL', detail: status === null ? 'killed at the time limit' : panic };
}
