import { spawnSync } from 'node:child_process';

/** The rules that tools/layers-canary/ breaks on purpose; each must be reported there. */
const CANARY_RULES = [
  'layers-base-imports-downwards',
  'no-cycles',
  'protocols-stand-alone',
  'protocols-not-storage',
  'protocols-only-from-server',
  'codec-imports-base-only',
  'config-is-a-leaf',
  'config-only-at-the-edge',
  'core-and-storage-use-ports',
];

interface CruiseReport {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

function cruise(root: string): CruiseReport['summary'] {
  const run = spawnSync(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', root, '--output-type', 'json'],
    {
      encoding: 'utf8',
      env: { ...process.env, LYREBIRD_LAYERS_ROOT: root },
      maxBuffer: 256 << 20,
    },
  );
  if (!run.stdout.startsWith('{')) throw new Error(`dependency-cruiser failed: ${run.stderr}`);
  return (JSON.parse(run.stdout) as CruiseReport).summary;
}

/** Checks the layer rules over src/ and that the canary still breaks every one of them; returns the problems. */
export function checkLayers(): string[] {
  const problems: string[] = [];
  const source = cruise('src');
  if (source.totalCruised < 20) problems.push(`only ${source.totalCruised} modules were looked at`);
  for (const violation of source.violations) {
    problems.push(`${violation.rule.name}: ${violation.from} -> ${violation.to}`);
  }
  const reported = new Set(cruise('tools/layers-canary').violations.map((v) => v.rule.name));
  for (const rule of CANARY_RULES) {
    if (!reported.has(rule)) problems.push(`the canary for rule ${rule} was not caught`);
  }
  return problems;
}
