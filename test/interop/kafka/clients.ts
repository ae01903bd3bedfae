import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram, kafkaClients, kafkaDistribution } from '../../support/kafka-jars.ts';
import { consoleToolCases, kcatCases, type ShellCases } from './shell-cases.ts';

/** What every client is asked to do; see README.md. */
export const CASES = [
  'roundtrip',
  'headers',
  'gzip',
  'snappy',
  'lz4',
  'zstd',
  'group',
  'idempotent',
  'large',
  'times',
  'admin',
] as const;

export type CaseName = (typeof CASES)[number];

/** A client that is installed and can be asked. */
export interface InstalledClient {
  /** Cases this client adds to the common ones. */
  readonly extraCases: readonly string[];
  /** The program and arguments that run one case: exit code 0 holds, 3 the client lacks it. */
  command(bootstrap: string, name: string, topic: string): readonly string[];
}

export interface Client {
  readonly name: string;
  /** Part of the quick selection: installed in seconds from the npm registry or already there. */
  readonly quick: boolean;
  /** Installs into the scratch folder; a string says why this machine cannot. */
  install(scratch: string): InstalledClient | string;
}

const here = (path: string): string => fileURLToPath(new URL(`clients/${path}`, import.meta.url));

function run(program: string, args: readonly string[], cwd: string): void {
  // CKJS_LINKING: Confluent's client has no prebuilt binary in the registry, and builds against the system's libraries.
  const env = { ...process.env, CKJS_LINKING: 'dynamic' };
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 256 << 20 });
  if (result.status !== 0) {
    throw new Error(
      `${program} ${args.join(' ')}: ${(result.stdout + result.stderr).slice(-2000)}`,
    );
  }
}

/** A client from the npm registry, with its program copied beside its node_modules. */
function npmClient(name: string, version: string, program: string, quick: boolean): Client {
  return {
    name: `${name} ${version}`,
    quick,
    install(scratch) {
      const folder = join(scratch, program.replace('.mjs', ''));
      mkdirSync(folder, { recursive: true });
      if (!existsSync(join(folder, 'node_modules', name))) {
        writeFileSync(join(folder, 'package.json'), '{"private":true}');
        run(
          'npm',
          ['install', '--no-audit', '--no-fund', '--foreground-scripts', `${name}@${version}`],
          folder,
        );
      }
      copyFileSync(here(program), join(folder, program));
      copyFileSync(here('common.mjs'), join(folder, 'common.mjs'));
      return {
        extraCases: [],
        command: (...args) => [process.execPath, join(folder, program), ...args],
      };
    },
  };
}

const confluentPython: Client = {
  name: 'confluent-kafka for Python 2.16.1',
  quick: false,
  install(scratch) {
    if (!hasProgram('python3')) return 'needs python3';
    const folder = join(scratch, 'python');
    const python = join(folder, 'bin/python');
    if (!existsSync(python)) {
      run('python3', ['-m', 'venv', folder], scratch);
      run(python, ['-m', 'pip', 'install', '-q', 'confluent-kafka==2.16.1'], scratch);
    }
    return { extraCases: [], command: (...args) => [python, here('confluent.py'), ...args] };
  },
};

const sarama: Client = {
  name: 'sarama 1.61.1',
  quick: false,
  install(scratch) {
    if (!hasProgram('go', 'version')) return 'needs go';
    const folder = join(scratch, 'sarama');
    const binary = join(folder, 'interop');
    if (!existsSync(binary)) {
      cpSync(here('sarama'), folder, { recursive: true });
      run('go', ['mod', 'tidy'], folder);
      run('go', ['build', '-o', 'interop', '.'], folder);
    }
    return { extraCases: [], command: (...args) => [binary, ...args] };
  },
};

function javaClient(version: string): Client {
  return {
    name: `kafka-clients ${version} (Java)`,
    quick: false,
    install(scratch) {
      const jars = kafkaClients(join(scratch, 'jars'), version);
      if (jars === null) return 'needs a JVM and Maven';
      const classes = join(scratch, `classes-${version}`);
      if (!existsSync(join(classes, 'Client.class'))) {
        run('javac', ['-cp', `${jars}/*`, '-d', classes, here('Client.java')], scratch);
      }
      return {
        extraCases: [],
        command: (...args) => [
          'java',
          '-XX:TieredStopAtLevel=1',
          '-cp',
          `${classes}:${jars}/*`,
          'Client',
          ...args,
        ],
      };
    },
  };
}

function shellClient(
  name: string,
  quick: boolean,
  find: (scratch: string) => ShellCases | string,
): Client {
  return {
    name,
    quick,
    install(scratch) {
      const cases = find(scratch);
      if (typeof cases === 'string') return cases;
      return {
        extraCases: Object.keys(cases).filter((key) => !(CASES as readonly string[]).includes(key)),
        command: (bootstrap, key, topic) => [
          'bash',
          '-c',
          `set -euo pipefail; ${cases[key] ?? 'exit 3'}`,
          'case',
          bootstrap,
          topic,
        ],
      };
    },
  };
}

export const CLIENTS: readonly Client[] = [
  npmClient('kafkajs', '2.2.4', 'kafkajs.mjs', true),
  npmClient('@platformatic/kafka', '1.35.0', 'platformatic.mjs', true),
  npmClient('@confluentinc/kafka-javascript', '1.10.1', 'confluent.mjs', false),
  confluentPython,
  sarama,
  javaClient('3.9.1'),
  javaClient('4.3.1'),
  shellClient('kcat', true, () => (hasProgram('kcat', '-V') ? kcatCases : 'needs kcat')),
  shellClient('Kafka console tools 4.3.1', false, (scratch) => {
    const jars = kafkaDistribution(join(scratch, 'jars'));
    return jars === null ? 'needs a JVM and Maven' : consoleToolCases(jars);
  }),
];
