import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun, runProgram, type Suite, type TestResult } from './suite.ts';

/** The last version whose tarball carries its tests. */
const VERSION = '2.0.1';
/** The files that talk to a broker; the others test the codec and its like. */
const FILES = ['channel_api', 'callback_api', 'connect', 'recovery'];
const REPORTER = fileURLToPath(new URL('leaf-reporter.mjs', import.meta.url));
/** Some tests say amqp://localhost, where the library puts its default port; it becomes a variable. */
const DEFAULT_PORT = "'amqp:' ? 5672 :";
const PORT_OF_PEER = "'amqp:' ? Number(process.env.PEER_PORT) || 5672 :";
/** What a folder that is ready says: one that was made otherwise is made again. */
const INSTALLED = `${VERSION} with PEER_PORT in every URL`;

export const amqplib: Suite = {
  name: 'amqplib',
  title: `amqplib ${VERSION}: its own tests that talk to a broker`,
  onRabbitMq: '79 pass, 1 does not (it wants a listener on ::1)',

  async install(folder) {
    const stamp = join(folder, '.installed');
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === INSTALLED) return null;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const step = { cwd: folder, secondsMax: 120, log: join(folder, 'install.log') };
    await mustRun('npm', ['pack', '--silent', `amqplib@${VERSION}`], step);
    await mustRun('tar', ['xzf', `amqplib-${VERSION}.tgz`], step);
    const connect = join(folder, 'package/lib/connect.js');
    const source = readFileSync(connect, 'utf8');
    if (!source.includes(DEFAULT_PORT)) throw new Error(`${connect} is not what it was`);
    writeFileSync(connect, source.replaceAll(DEFAULT_PORT, PORT_OF_PEER));
    writeFileSync(stamp, INSTALLED);
    return null;
  },

  async run({ target, folder, only }) {
    const results: TestResult[] = [];
    for (const file of FILES) {
      const pattern = only === null ? [] : ['--test-name-pattern', only.source];
      const { output } = await runProgram(
        process.execPath,
        [`--test-reporter=${REPORTER}`, ...pattern, `test/${file}.test.js`],
        {
          cwd: join(folder, 'package'),
          environment: { PEER_PORT: String(target.port), URL: target.url },
          secondsMax: 200,
          log: join(folder, `${file}.log`),
        },
      );
      for (const line of output.split('\n')) {
        if (!line.startsWith('{"name"')) continue;
        const result = JSON.parse(line) as TestResult;
        results.push({ ...result, name: `${file}: ${result.name}` });
      }
    }
    return results;
  },
};
