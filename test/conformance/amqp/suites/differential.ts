import { allDifferences, differenceOf, goldenOf, unexplained } from '../differential/golden.ts';
import { replay } from '../differential/replay.ts';
import { SCENARIOS } from '../differential/scenarios.ts';
import type { Suite, TestResult } from './suite.ts';

/** The recorded answers of RabbitMQ, scenario by scenario. */
export const differential: Suite = {
  name: 'differential',
  title: `The same frames to RabbitMQ and to Lyrebird: ${SCENARIOS.length} scenarios`,
  onRabbitMq: 'recorded from it',

  install: () => Promise.resolve(null),

  async run({ target, only }) {
    const results: TestResult[] = [];
    for (const scenario of SCENARIOS) {
      if (only !== null && !only.test(scenario.name)) continue;
      const golden = goldenOf(scenario.name);
      const problems =
        golden === null
          ? ['never recorded']
          : unexplained(golden, await replay(target, scenario), differenceOf(scenario.name));
      results.push({
        name: scenario.name,
        outcome: problems.length === 0 ? 'PASS' : 'FAIL',
        detail: problems.join('; '),
      });
    }
    return results;
  },
};

/** The part of the page about frames: what differs, and why. */
export function framesSection(): string {
  const lines = [
    '## Frame by frame',
    '',
    `${SCENARIOS.length} scenarios of raw frames, replayed against RabbitMQ 3.10.8 and against Lyrebird, give the same answers`,
    'but for these:',
    '',
    '| Scenario | What is different, and why |',
    '| --- | --- |',
  ];
  for (const [name, { why }] of Object.entries(allDifferences())) {
    lines.push(`| ${name} | ${why} |`);
  }
  return lines.join('\n');
}
