import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';

/** What a command sees of the world: data goes to out, everything else to err. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Escape sequences may be written to out. */
  readonly colors: boolean;
  out(data: string | Uint8Array): void;
  err(text: string): void;
  /** Resolves when what was given to out so far may be followed by more without growing memory. */
  drained(): Promise<void>;
  /** Asks on the terminal; only when stdin is one. */
  ask(question: string): Promise<string>;
}

/** NO_COLOR, CLICOLOR_FORCE and TERM=dumb decide before the terminal itself does (https://no-color.org). */
export function wantsColors(
  environment: Readonly<Record<string, string | undefined>>,
  isTty: boolean,
): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  const forced = environment['CLICOLOR_FORCE'] ?? '';
  if (forced !== '' && forced !== '0') return true;
  return isTty && environment['TERM'] !== 'dumb';
}

export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  return {
    environment: env,
    stdin,
    stdinIsTty: isatty(0),
    stdoutIsTty: isatty(1),
    stderrIsTty: isatty(2),
    colors: wantsColors(env, isatty(1)),
    out: (data) => void stdout.write(data),
    err: (text) => void stderr.write(text),
    drained: () =>
      stdout.writableNeedDrain
        ? new Promise((resolve) => stdout.once('drain', resolve))
        : Promise.resolve(),
    ask: async (question) => {
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        return await lines.question(question);
      } finally {
        lines.close();
      }
    },
  };
}
