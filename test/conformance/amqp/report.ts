import { fileURLToPath } from 'node:url';
import type { Page } from '../../support/page-section.ts';
import type { Suite, TestResult } from './suites/suite.ts';

/** Why tests do not pass or do not run, by suite and name. */
export type Expectations = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const PAGE: Page = {
  path: fileURLToPath(new URL('../../../docs/compatibility/amqp.md', import.meta.url)),
  sections: ['clients', 'suites', 'frames'],
  head: [
    '# AMQP 0-9-1: RabbitMQ clients and suites',
    '',
    'Unmodified clients, the tests that others wrote for RabbitMQ, and a comparison frame by frame.',
  ].join('\n'),
};

/** What differs from the expectations, in sentences; only failures count as unexpected. */
export function compare(
  suite: string,
  results: readonly TestResult[],
  expectations: Expectations,
): { readonly unexpected: number; readonly remarks: readonly string[] } {
  const reasons = expectations[suite] ?? {};
  const remarks: string[] = [];
  let unexpected = 0;
  for (const { name, outcome, detail } of results) {
    const known = reasons[name] !== undefined;
    if (outcome === 'FAIL' && !known) {
      unexpected++;
      remarks.push(`unexpected failure: ${name}: ${detail}`);
    } else if (outcome === 'SKIP' && !known) {
      remarks.push(`skipped without a known reason: ${name}: ${detail}`);
    } else if (outcome === 'PASS' && known) {
      remarks.push(`passes now, take it out of expected.json: ${name}`);
    }
  }
  return { unexpected, remarks };
}

export interface SuiteRun {
  readonly suite: Suite;
  readonly results: readonly TestResult[];
  /** Why it did not run, or null. */
  readonly notRun: string | null;
}

/** The part of the page about the suites. */
export function suitesSection(runs: readonly SuiteRun[], expectations: Expectations): string {
  const lines = [
    '## Suites',
    '',
    'Written by `npm run conformance:amqp -- --write`. The broker runs on disk with its defaults.',
    '',
    '| Suite | Passed | Not passed | Skipped | On RabbitMQ 3.10.8 |',
    '| --- | --- | --- | --- | --- |',
  ];
  const count = (results: readonly TestResult[], outcome: TestResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  for (const { suite, results, notRun } of runs) {
    const counts =
      notRun === null
        ? [count(results, 'PASS'), count(results, 'FAIL'), count(results, 'SKIP')]
        : [`not run: ${notRun}`, '', ''];
    lines.push(`| ${suite.title} | ${counts.join(' | ')} | ${suite.onRabbitMq} |`);
  }
  for (const { suite, results } of runs) {
    const others = results.filter(({ outcome }) => outcome !== 'PASS');
    if (others.length === 0) continue;
    lines.push('', `### ${suite.name}: not passed`, '', '| Test | | Why |', '| --- | --- | --- |');
    for (const { name, outcome, detail } of others) {
      const why = expectations[suite.name]?.[name] ?? detail;
      lines.push(`| ${name} | ${outcome === 'SKIP' ? 'skipped' : 'fails'} | ${why} |`);
    }
  }
  return lines.join('\n');
}
