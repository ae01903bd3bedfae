import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../../../support/kafka-jars.ts';
import { runProgram, type Outcome, type Suite, type TestResult } from './suite.ts';

const PACKAGE = 'com.rabbitmq.client.test';
const SUITES = {
  functional: `${PACKAGE}.functional.FunctionalTestSuite`,
  server: `${PACKAGE}.server.ServerTestSuite`,
} as const;

/**
 * The functional or the server suite of RabbitMQ's Java client, from a folder that somebody has prepared; see README.md.
 * No registry holds these tests.
 */
export function javaClient(kind: keyof typeof SUITES, prepared: string | undefined): Suite {
  return {
    name: `java-${kind}`,
    title: `RabbitMQ's Java client: ${kind === 'functional' ? 'FunctionalTestSuite' : 'ServerTestSuite'}`,
    onRabbitMq:
      kind === 'functional'
        ? '381 of 382 pass, 1 skips itself on RabbitMQ 3'
        : '40 of 41 pass (one wants a broker on an address beside loopback)',
    // It connects to this port and no other, and tests a mechanism that is off unless it is asked for.
    broker: {
      port: 5672,
      settings: ['security.mechanisms=PLAIN,AMQPLAIN,EXTERNAL,RABBIT-CR-DEMO'],
    },

    install() {
      if (!hasProgram('java', '-version')) return Promise.resolve('needs a JVM');
      if (prepared === undefined) return Promise.resolve('needs --java-client DIR');
      const missing = ['classes', 'test-classes', 'jars'].find(
        (folder) => !existsSync(join(prepared, folder)),
      );
      return Promise.resolve(missing === undefined ? null : `${prepared} has no ${missing}`);
    },

    async run({ target, folder, only }) {
      mkdirSync(folder, { recursive: true });
      const reports = join(folder, 'reports');
      rmSync(reports, { recursive: true, force: true });
      const from = prepared ?? '';
      const classpath = ['classes', 'test-classes', 'jars/*'].map((part) => join(from, part));
      const select =
        only === null
          ? ['--select-class', SUITES[kind]]
          : ['--scan-classpath', join(from, 'test-classes'), '--include-classname', only.source];
      await runProgram(
        'java',
        [
          '-Xmx512m',
          `-Dtest-broker.A.nodename=${target.ctl?.node ?? ''}`,
          `-Drabbitmqctl.bin=${target.ctl?.program ?? 'false'}`,
          '-cp',
          classpath.join(':'),
          'org.junit.platform.console.ConsoleLauncher',
          'execute',
          '--disable-banner',
          '--details=none',
          '--reports-dir',
          reports,
          ...select,
        ],
        { cwd: from, secondsMax: 2400, log: join(folder, 'run.log') },
      );
      return ['junit-platform-suite', 'junit-jupiter'].flatMap((engine) =>
        resultsOf(join(reports, `TEST-${engine}.xml`)),
      );
    },
  };
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#10;', ' ')
    .replaceAll('&amp;', '&');

/** The test cases of a JUnit report. */
function resultsOf(path: string): TestResult[] {
  if (!existsSync(path)) return [];
  const results: TestResult[] = [];
  const report = readFileSync(path, 'utf8');
  for (const [, attributes = '', inside = ''] of report.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const attribute = (name: string): string =>
      unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
    const tag = /<(failure|error|skipped)\b(?:[^>]*?message="([^"]*)")?/.exec(inside);
    const outcome: Outcome = tag === null ? 'PASS' : tag[1] === 'skipped' ? 'SKIP' : 'FAIL';
    results.push({
      name: `${attribute('classname').replace(`${PACKAGE}.`, '')}.${attribute('name').replace('()', '')}`,
      outcome,
      detail: unescaped(tag?.[2] ?? '').slice(0, 200),
    });
  }
  return results;
}
