import { performance } from 'node:perf_hooks';
import { pino, type Logger as Pino } from 'pino';
import type { LogFields, Logger } from './logger.ts';
import { prettyLine } from './pretty-line.ts';
import { RepeatLimiter } from './repeat-limiter.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** auto: pretty on a terminal. */
  readonly format: 'auto' | 'pretty' | 'json';
  /** Where lines go: text of one line, with its end. Default: the standard error. */
  readonly write?: (line: string) => void;
}

/** A logger whose level can be changed while it is used. */
export interface LevelLogger extends Logger {
  setLevel(level: LogLevel): void;
}

/** Structured logs: JSON, one object a line, or a readable form on a terminal. */
export function createLogger(options: LogOptions): LevelLogger {
  const terminal = process.stderr;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && terminal.isTTY);
  const color = pretty && terminal.isTTY && process.env['NO_COLOR'] === undefined;
  const write = options.write ?? ((line: string) => void terminal.write(line));
  const destination = {
    write: (json: string) => write(pretty ? prettyLine(json, { color }) : json),
  };
  const base = pino(
    {
      // What passes is decided here, so that a change reaches every child.
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const repeats = new RepeatLimiter(() => performance.now());
  return new PinoLogger(base, { threshold: SEVERITY[options.level], repeats });
}

const SEVERITY: Readonly<Record<LogLevel, number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};

/** What a logger and all its children share. */
interface Gate {
  threshold: number;
  readonly repeats: RepeatLimiter;
}

class PinoLogger implements LevelLogger {
  private readonly pino: Pino;
  private readonly gate: Gate;

  constructor(pinoLogger: Pino, gate: Gate) {
    this.pino = pinoLogger;
    this.gate = gate;
  }

  debug(event: string, message: string, fields?: LogFields): void {
    this.log('debug', event, message, fields);
  }

  info(event: string, message: string, fields?: LogFields): void {
    this.log('info', event, message, fields);
  }

  warn(event: string, message: string, fields?: LogFields): void {
    this.log('warn', event, message, fields);
  }

  error(event: string, message: string, fields?: LogFields): void {
    this.log('error', event, message, fields);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.pino.child({ ...fields }), this.gate);
  }

  setLevel(level: LogLevel): void {
    this.gate.threshold = SEVERITY[level];
  }

  private log(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    message: string,
    fields: LogFields | undefined,
  ): void {
    if (SEVERITY[level] < this.gate.threshold) return;
    const suppressed = this.gate.repeats.admit(event);
    if (suppressed < 0) return;
    const line = { event, ...fields };
    this.pino[level](suppressed === 0 ? line : { ...line, suppressed }, message);
  }
}
