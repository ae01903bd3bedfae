import { Readable } from 'node:stream';
import type { Terminal } from '../../src/cli/terminal.ts';

/** A terminal for tests: collects what is written, answers what it was told to. */
export class FakeTerminal implements Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty = false;
  readonly stderrIsTty = false;
  readonly colors = false;
  stdout = '';
  stderr = '';
  private readonly answers: string[];

  constructor(
    options: {
      readonly environment?: Readonly<Record<string, string>>;
      readonly input?: string;
      readonly answers?: readonly string[];
    } = {},
  ) {
    this.environment = options.environment ?? {};
    this.stdin = Readable.from([options.input ?? '']);
    this.stdinIsTty = options.answers !== undefined;
    this.answers = [...(options.answers ?? [])];
  }

  out(data: string | Uint8Array): void {
    this.stdout += typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
  }

  err(text: string): void {
    this.stderr += text;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  ask(question: string): Promise<string> {
    this.stderr += question;
    return Promise.resolve(this.answers.shift() ?? '');
  }
}
