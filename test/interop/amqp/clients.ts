import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram, mavenJars } from '../../support/kafka-jars.ts';

/** What every client is asked to do, with the words for the page. */
export const CASES = {
  hello: 'tutorial 1: a message through a queue',
  work: 'tutorial 2: twenty persistent tasks for two workers that acknowledge',
  pubsub: 'tutorial 3: a fanout exchange and two queues of their own',
  routing: 'tutorial 4: a direct exchange',
  topics: 'tutorial 5: a topic exchange, `*` and `#`',
  rpc: 'tutorial 6: requests and replies with a callback queue',
  confirms: 'one hundred persistent messages, each confirmed',
  mandatory: 'an unroutable message comes back with 312',
  cancel: 'a consumer hears that its queue was deleted',
  priority: 'x-max-priority orders what waits',
  'ttl-dlx': 'x-message-ttl, then the dead-letter exchange, with x-death',
  delayed: 'an x-delayed-message exchange; stock RabbitMQ has none',
  quorum: 'a quorum queue whose delivery limit dead-letters what is poison',
  stream: 'a stream queue read from an x-stream-offset',
  headers: 'a headers exchange, x-match all and any',
  tx: 'tx: rollback leaves nothing, commit delivers',
  'reply-to': 'direct reply-to',
  large: 'a message of 10 MB',
  fairness: 'prefetch 1: a slow consumer holds one message, another gets the rest',
} as const;

/** A client that is installed: the program and arguments that run one case. Exit code 0 holds, 3 the client lacks it. */
export type Command = (url: string, name: string, prefix: string) => readonly string[];

export interface Client {
  readonly name: string;
  /** Part of the quick selection: installed in seconds from the npm registry. */
  readonly quick: boolean;
  /** Installs into the scratch folder; a string says why this machine cannot. */
  install(scratch: string): Command | string;
}

const here = (path: string): string => fileURLToPath(new URL(`clients/${path}`, import.meta.url));

function run(program: string, args: readonly string[], cwd: string): void {
  const result = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 256 << 20 });
  if (result.status !== 0) {
    const output = result.stdout + result.stderr;
    throw new Error(`${program} ${args.join(' ')}: ${output.slice(-2000)}`);
  }
}

/** A client from the npm registry, with its program copied beside its node_modules. */
function npmClient(name: string, version: string, program: string): Client {
  return {
    name: `${name} ${version}`,
    quick: true,
    install(scratch) {
      const folder = join(scratch, program.replace('.mjs', ''));
      mkdirSync(folder, { recursive: true });
      if (!existsSync(join(folder, 'node_modules', name))) {
        writeFileSync(join(folder, 'package.json'), '{"private":true}');
        run('npm', ['install', '--no-audit', '--no-fund', `${name}@${version}`], folder);
      }
      copyFileSync(here(program), join(folder, program));
      copyFileSync(here('common.mjs'), join(folder, 'common.mjs'));
      return (...args) => [process.execPath, join(folder, program), ...args];
    },
  };
}

function pythonClient(name: string, version: string, program: string): Client {
  return {
    name: `${name} ${version} (Python)`,
    quick: false,
    install(scratch) {
      if (!hasProgram('python3')) return 'needs python3';
      const folder = join(scratch, `python-${name}`);
      const python = join(folder, 'bin/python');
      const stamp = join(folder, '.installed');
      if (!existsSync(stamp)) {
        run('python3', ['-m', 'venv', folder], scratch);
        run(python, ['-m', 'pip', 'install', '-q', `${name}==${version}`], scratch);
        writeFileSync(stamp, '');
      }
      return (...args) => [python, '-B', here(program), ...args];
    },
  };
}

const goClient: Client = {
  name: 'amqp091-go 1.16.0',
  quick: false,
  install(scratch) {
    if (!hasProgram('go', 'version')) return 'needs go';
    const folder = join(scratch, 'amqp091');
    cpSync(here('amqp091'), folder, { recursive: true });
    run('go', ['mod', 'tidy'], folder);
    run('go', ['build', '-o', 'interop', '.'], folder);
    return (...args) => [join(folder, 'interop'), ...args];
  },
};

const rustClient: Client = {
  name: 'lapin 4.12.3 (Rust)',
  quick: false,
  install(scratch) {
    if (!hasProgram('cargo')) return 'needs cargo';
    const folder = join(scratch, 'lapin');
    cpSync(here('lapin'), folder, { recursive: true });
    run('cargo', ['build', '--quiet', '-j1', '--target-dir', 'target'], folder);
    return (...args) => [join(folder, 'target/debug/interop'), ...args];
  },
};

function javaClient(version: string): Client {
  return {
    name: `RabbitMQ Java client ${version}`,
    quick: false,
    install(scratch) {
      const jars = mavenJars(join(scratch, `java-${version}`), [
        `com.rabbitmq:amqp-client:${version}`,
        'org.slf4j:slf4j-nop:1.7.36',
      ]);
      if (jars === null) return 'needs a JVM and Maven';
      const classes = join(scratch, `java-classes-${version}`);
      run('javac', ['-cp', `${jars}/*`, '-d', classes, here('Client.java')], scratch);
      const options = ['-XX:TieredStopAtLevel=1', '-cp', `${classes}:${jars}/*`];
      return (...args) => ['java', ...options, 'Client', ...args];
    },
  };
}

export const CLIENTS: readonly Client[] = [
  npmClient('amqplib', '2.3.1', 'amqplib.mjs'),
  npmClient('@cloudamqp/amqp-client', '4.1.1', 'cloudamqp.mjs'),
  npmClient('rascal', '21.0.1', 'rascal.mjs'),
  npmClient('rabbitmq-client', '5.0.8', 'rabbitmq-client.mjs'),
  pythonClient('pika', '1.4.4', 'pika_client.py'),
  pythonClient('kombu', '5.7.0', 'kombu_client.py'),
  goClient,
  javaClient('5.35.0'),
  rustClient,
];
