import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram } from '../../../support/kafka-jars.ts';
import { mustRun, runProgram, type Outcome, type Suite, type TestResult } from './suite.ts';

const VERSION = '5.7.0';
const CHECKS = fileURLToPath(new URL('celery', import.meta.url));

export const celery: Suite = {
  name: 'celery',
  title: `Celery ${VERSION} over kombu and py-amqp: a worker, tasks with results, events, remote control`,
  onRabbitMq: 'all 14 pass',

  async install(folder) {
    if (!hasProgram('python3')) return 'needs python3';
    const stamp = join(folder, '.installed');
    if (existsSync(stamp)) return null;
    mkdirSync(folder, { recursive: true });
    const step = { cwd: folder, secondsMax: 600, log: join(folder, 'install.log') };
    await mustRun('python3', ['-m', 'venv', 'venv'], step);
    await mustRun(
      join(folder, 'venv/bin/python'),
      ['-m', 'pip', '-q', 'install', `celery==${VERSION}`],
      step,
    );
    writeFileSync(stamp, '');
    return null;
  },

  async run({ target, folder, only }) {
    const { output } = await runProgram(
      join(folder, 'venv/bin/python'),
      ['-B', join(CHECKS, 'checks.py')],
      {
        cwd: CHECKS,
        environment: { AMQP_URL: `${target.url}//`, ONLY: only?.source ?? '', PYTHONPATH: CHECKS },
        secondsMax: 300,
        log: join(folder, 'run.log'),
      },
    );
    const results: TestResult[] = [];
    for (const match of output.matchAll(/^(PASS|FAIL) ([^:\n]+)(?:: (.*))?$/gm)) {
      const [, outcome, name = '', detail = ''] = match;
      results.push({ name, outcome: outcome as Outcome, detail });
    }
    return results;
  },
};
