import type { Management } from '../management/management.ts';
import type { CtlOptions } from './arguments.ts';

/** Stopping and starting the broker inside its process; the admin interface stays. */
export interface AppControl {
  readonly running: boolean;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What verbs work on. */
export interface CtlContext {
  readonly management: Management;
  /** null: the broker is embedded in another program, which decides about its life. */
  readonly control: AppControl | null;
}

/** One command as it was given. */
export interface CtlCall extends CtlContext {
  readonly options: CtlOptions;
  /** What follows the verb, options taken out. */
  readonly args: readonly string[];
  /** A file's content, for verbs that read one. */
  readonly input: string | null;
}

/** What a verb prints. */
export type CtlReply =
  | { readonly kind: 'lines'; readonly banner: string | null; readonly lines: readonly string[] }
  | {
      readonly kind: 'table';
      readonly banner: string | null;
      readonly columns: readonly string[];
      readonly rows: readonly Readonly<Record<string, unknown>>[];
    };

export interface Verb {
  readonly name: string;
  /** What comes behind the name, for people: `<user> <password>`. */
  readonly usage: string;
  readonly arguments: { readonly min: number; readonly max: number };
  run(call: CtlCall): CtlReply | Promise<CtlReply>;
}

/** Exit codes of RabbitMQ's tools (sysexits). */
export const CTL_EXIT = {
  ok: 0,
  usage: 64,
  data: 65,
  noUser: 67,
  unavailable: 69,
  software: 70,
} as const;

/** A command that cannot be carried out. */
export class CtlError extends Error {
  override readonly name = 'CtlError';
  readonly exitCode: number;
  /** Said already by a verb that announces what it does. */
  readonly banner: string | null;

  constructor(exitCode: number, message: string, banner: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.banner = banner;
  }
}

export function lines(banner: string | null, ...printed: readonly string[]): CtlReply {
  return { kind: 'lines', banner, lines: printed };
}
