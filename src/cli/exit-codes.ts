/** What the process ends with; docs/reference/cli.md lists them for scripts. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  permission: 5,
  unreachable: 6,
  timeout: 7,
  refused: 8,
  partial: 9,
  /** For commands that compare. */
  different: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command could not do its work: printed as one line, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** LBnnnn or a word of the admin API, shown in brackets. */
  readonly code: string | null;
  /** What to do next, on a line of its own. */
  readonly hint: string | null;

  constructor(
    exitCode: ExitCode,
    message: string,
    options: { code?: string | null; hint?: string | null; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.code = options.code ?? null;
    this.hint = options.hint ?? null;
  }
}

/** A command of another broker's tools ended with this code, and has said why. */
export class ForeignExit extends Error {
  override readonly name = 'ForeignExit';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string, hint: string | null = null): CommandError {
  return new CommandError(EXIT.usage, message, { hint });
}
