import type { TestResult } from './suite.ts';

/** Why tests do not pass today, by name. */
export interface Expectations {
  /** Fails because of something Lyrebird does not have. */
  readonly notPassing: Readonly<Record<string, string>>;
  /** Skips itself, whatever the broker. */
  readonly skipped: Readonly<Record<string, string>>;
}

/** What differs from the expectations, in sentences; only failures count as unexpected. */
export function compare(
  results: readonly TestResult[],
  { notPassing, skipped }: Expectations,
): { readonly unexpected: number; readonly remarks: readonly string[] } {
  const remarks: string[] = [];
  let unexpected = 0;
  for (const { name, outcome, detail } of results) {
    const reason = notPassing[name] ?? skipped[name];
    if (outcome === 'FAIL' && notPassing[name] === undefined) {
      unexpected++;
      remarks.push(`unexpected failure: ${name}: ${detail}`);
    } else if (outcome === 'SKIP' && reason === undefined) {
      remarks.push(`skipped without a known reason: ${name}: ${detail}`);
    } else if (outcome === 'PASS' && reason !== undefined) {
      remarks.push(`passes now, take it out of expected.json: ${name}`);
    }
  }
  return { unexpected, remarks };
}

/** Tests of share groups have sub-tests in the long form only, so that the quick form passes without any. */
const EMPTY_IN_QUICK_FORM = /_share_consumer_/;

/** The page of documentation about a whole run. */
export function reportPage(
  results: readonly TestResult[],
  { notPassing, skipped }: Expectations,
  settings: readonly string[],
): string {
  const passed = results.filter(({ outcome }) => outcome === 'PASS');
  const failed = results.filter(({ outcome }) => outcome === 'FAIL');
  const left = results.filter(({ outcome }) => outcome === 'SKIP');
  const empty = passed.filter(({ name }) => EMPTY_IN_QUICK_FORM.test(name));
  const table = (
    rows: readonly TestResult[],
    reasons: Readonly<Record<string, string>>,
  ): string[] => [
    '| Test | Why |',
    '| --- | --- |',
    ...rows.map(({ name, detail }) => `| ${name} | ${reasons[name] ?? detail} |`),
  ];
  const names = (rows: readonly TestResult[]): string => rows.map(({ name }) => name).join(', ');
  return [
    "# librdkafka's own test suite",
    '',
    'Written by `npm run conformance:librdkafka -- --write`, which builds the suite from the sources of librdkafka 2.15.1',
    'and runs every test that talks to a broker, in the quick form that the suite takes for a run of everything.',
    '',
    `Of ${results.length} tests **${passed.length} pass**, ${failed.length} do not, ${left.length} are skipped. ` +
      `${empty.length} of those that pass are about share groups and`,
    'have nothing to check in the quick form: they count here as in a run against Apache Kafka 4.3, of which 108 pass.',
    '',
    'The broker runs with what the suite expects of one: ' +
      `${settings.map((setting) => `\`${setting}\``).join(', ')}.`,
    'Kafka lets the first members of a group wait 3 s for each other; 0118 needs a little of that.',
    '',
    '## Not passed',
    '',
    ...table(failed, notPassing),
    '',
    '## Skipped',
    '',
    ...table(left, skipped),
    '',
    '## Passed',
    '',
    names(passed.filter((result) => !empty.includes(result))) + '.',
    '',
    `Nothing to check in the quick form: ${names(empty)}.`,
    '',
  ].join('\n');
}
