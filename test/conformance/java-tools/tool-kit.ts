import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TOOLS = 'org.apache.kafka.tools';
/** A tool that hangs is ended, and its check fails. */
const TOOL_TIMEOUT_MS = 120_000;
/** Warnings and errors of the clients go to the tool's output, where checks and people see them. */
const LOGGING =
  'Configuration: { Appenders: { Console: { name: E, target: SYSTEM_ERR } }, Loggers: { Root: { level: WARN, AppenderRef: [ { ref: E } ] } } }';

/** What a tool printed, and how it ended. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Kafka's command-line tools, pointed at one broker. */
export class ToolKit {
  readonly bootstrap: string;
  /** Part of all names, so that a broker can be used more than once. */
  readonly run: string;
  private readonly jars: string;
  private readonly scratch: string;

  constructor(jars: string, bootstrap: string, run: string) {
    this.jars = jars;
    this.bootstrap = bootstrap;
    this.run = run;
    this.scratch = mkdtempSync(join(tmpdir(), 'lyrebird-java-tools-'));
    writeFileSync(join(this.scratch, 'log4j2.yaml'), LOGGING);
  }

  close(): void {
    rmSync(this.scratch, { recursive: true, force: true });
  }

  /** A name of this run. */
  name(short: string): string {
    return `${short}-${this.run}`;
  }

  /** Writes a file that a tool is to read. */
  file(name: string, text: string): string {
    const path = join(this.scratch, name);
    writeFileSync(path, text);
    return path;
  }

  topics(...args: readonly string[]): Outcome {
    return this.admin(`${TOOLS}.TopicCommand`, args);
  }

  configs(...args: readonly string[]): Outcome {
    return this.admin('kafka.admin.ConfigCommand', args);
  }

  groups(...args: readonly string[]): Outcome {
    return this.admin(`${TOOLS}.consumer.group.ConsumerGroupCommand`, args);
  }

  offsets(...args: readonly string[]): Outcome {
    return this.admin(`${TOOLS}.GetOffsetShell`, args);
  }

  /** Any other tool of org.apache.kafka.tools that takes --bootstrap-server. */
  tool(main: string, ...args: readonly string[]): Outcome {
    return this.admin(`${TOOLS}.${main}`, args);
  }

  /** Writes the lines with the console producer. */
  produce(topic: string, lines: readonly string[], ...args: readonly string[]): Outcome {
    const all = ['--bootstrap-server', this.bootstrap, '--topic', topic, ...args];
    const outcome = this.java(`${TOOLS}.ConsoleProducer`, all, `${lines.join('\n')}\n`);
    return succeeded(outcome);
  }

  /** Reads count lines with the console consumer, from the start unless a group says otherwise. */
  consume(topic: string, count: number, ...args: readonly string[]): readonly string[] {
    const limits = ['--max-messages', String(count), '--timeout-ms', '20000'];
    const outcome = this.admin(`${TOOLS}.consumer.ConsoleConsumer`, [
      '--topic',
      topic,
      ...limits,
      ...args,
    ]);
    return outcome.stdout.split('\n').filter((line) => line !== '');
  }

  /** Runs a class with exactly these arguments. */
  java(main: string, args: readonly string[], input = ''): Outcome {
    const options = [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1',
      `-Dlog4j2.configurationFile=${join(this.scratch, 'log4j2.yaml')}`,
    ];
    const { stdout, stderr, status } = spawnSync(
      'java',
      [...options, '-cp', `${this.jars}/*`, main, ...args],
      { input, encoding: 'utf8', timeout: TOOL_TIMEOUT_MS, maxBuffer: 64 << 20 },
    );
    return { stdout, stderr, status };
  }

  private admin(main: string, args: readonly string[]): Outcome {
    return this.java(main, ['--bootstrap-server', this.bootstrap, ...args]);
  }
}

/** Insists that the tool ended well. */
export function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.status, 0, `exit code ${outcome.status}: ${textOf(outcome)}`);
  return outcome;
}

/** Insists that the tool ended well and printed each of these. */
export function prints(outcome: Outcome, ...patterns: readonly RegExp[]): Outcome {
  succeeded(outcome);
  for (const pattern of patterns) assert.match(outcome.stdout, pattern, textOf(outcome));
  return outcome;
}

/** Insists that the tool says this is wrong; several of them end with 0 all the same. */
export function complains(outcome: Outcome, pattern: RegExp): void {
  assert.match(textOf(outcome), pattern);
}

function textOf({ stdout, stderr }: Outcome): string {
  return `${stdout}${stderr}`.slice(0, 4000);
}
