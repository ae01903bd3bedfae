import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { LyrebirdError } from '../base/errors.ts';
import type { MessagingClient } from '../server/clients.ts';
import { findContext, type Context } from './context-store.ts';
import { CommandError, EXIT, usageError, type ExitCode } from './exit-codes.ts';
import { withContext } from './options.ts';
import type { Terminal } from './terminal.ts';

/** Where pub, sub and bench go. */
export interface Destination {
  /** `kafka`, without +tls. */
  readonly scheme: string;
  readonly tls: boolean;
  /** Null: the default, or --broker. */
  readonly host: string | null;
  readonly port: number | null;
  readonly name: string;
}

/**
 * `topic`, `kafka://topic` or `kafka[+tls]://host[:port]/topic`. Without a path the word behind `//` is the name, so
 * that the short form of a URL needs no host.
 */
export function parseDestination(text: string): Destination {
  const match = /^([a-z][a-z0-9]*)(\+tls)?:\/\/(.*)$/i.exec(text);
  if (match === null) {
    if (text.includes('://'))
      throw usageError(`${text} is not a destination`, 'for example kafka://orders');
    return { scheme: 'kafka', tls: false, host: null, port: null, name: text };
  }
  const [, scheme = '', suffix, rest = ''] = match;
  const base = { scheme: scheme.toLowerCase(), tls: suffix !== undefined };
  const slash = rest.indexOf('/');
  if (slash < 0) return { ...base, host: null, port: null, name: requireName(rest, text) };
  const name = requireName(decodeURIComponent(rest.slice(slash + 1)), text);
  const authority = rest.slice(0, slash);
  if (authority === '') return { ...base, host: null, port: null, name };
  return { ...base, ...parseBroker(authority), name };
}

function requireName(name: string, text: string): string {
  if (name === '')
    throw usageError(`${text} names no topic`, 'for example kafka://127.0.0.1:9092/orders');
  return name;
}

/** `host` or `host:port`, IPv6 in brackets. */
export function parseBroker(text: string): { host: string; port: number | null } {
  const match = /^(\[[0-9a-f:]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(text.trim());
  if (match === null) throw usageError(`${text} is not host:port`);
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { host, port: match[2] === undefined ? null : Number(match[2]) };
}

export interface BrokerOptions extends Omit<Context, 'server'> {
  readonly context?: string;
  readonly timeout?: string;
}

/** For commands that speak a messaging protocol. */
export function withBroker(command: Command): Command {
  return withTls(
    withContext(command).option(
      '-b, --broker <host:port>',
      "broker, or several with commas (default: LYREBIRD_BROKER, the context's, 127.0.0.1)",
    ),
  ).option('--timeout <duration>', 'how long to wait for a broker', '10s');
}

/** The flags of the secrets and checks of a connection; contexts store the same. */
export function withTls(command: Command): Command {
  return command
    .option('--tls', 'use TLS, as kafka+tls:// does')
    .option('--tls-ca <file>', 'authority of the broker certificate (PEM)')
    .option('--tls-cert <file>', 'certificate to show (PEM)')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--insecure', 'accept any certificate');
}

/** The client for a destination. */
export async function openClient(
  destination: Destination,
  given: BrokerOptions,
  environment: Terminal['environment'],
): Promise<MessagingClient> {
  const { CLIENT_SCHEMES, clientFor } = await import('../server/clients.ts');
  const { parseDuration } = await import('../config/units.ts');
  const module = clientFor(destination.scheme);
  if (module === null) {
    throw usageError(
      `no client for ${destination.scheme}://`,
      `known: ${CLIENT_SCHEMES.join(', ')}`,
    );
  }
  const timeoutMs = parseDuration(given.timeout ?? '10s');
  if (timeoutMs === null || timeoutMs === 0)
    throw usageError(`--timeout ${given.timeout}: expected a duration`);
  const options = destination.host === null ? withDefaults(given, environment) : given;
  const brokers =
    destination.host !== null
      ? [{ host: destination.host, port: destination.port }]
      : (options.broker ?? '127.0.0.1').split(',').map(parseBroker);
  const tls = destination.tls || options.tls === true || options.tlsCa !== undefined;
  return module.create({
    bootstrap: brokers.map(({ host, port }) => ({ host, port: port ?? module.defaultPort })),
    clientId: 'lyrebird-cli',
    tls: tls
      ? {
          verify: options.insecure !== true,
          ...readPem('ca', options.tlsCa),
          ...readPem('cert', options.tlsCert),
          ...readPem('key', options.tlsKey),
        }
      : null,
    timeoutMs,
  });
}

/** Without --broker: LYREBIRD_BROKER, unless --context is given, or what the context says. Flags go before. */
function withDefaults(options: BrokerOptions, environment: Terminal['environment']): BrokerOptions {
  if (options.broker !== undefined) return options;
  const broker = environment['LYREBIRD_BROKER'];
  if (options.context === undefined && broker !== undefined) return { ...options, broker };
  const context = findContext(environment, options.context);
  return context === null ? options : { ...context, ...options };
}

function readPem(name: 'ca' | 'cert' | 'key', path: string | undefined): Record<string, string> {
  if (path === undefined) return {};
  try {
    return { [name]: readFileSync(path, 'utf8') };
  } catch (cause) {
    throw new CommandError(EXIT.notFound, `cannot read ${path}`, { cause });
  }
}

const EXIT_BY_NAME: readonly (readonly [RegExp, ExitCode])[] = [
  [/^UNKNOWN_TOPIC|_NOT_FOUND$/, EXIT.notFound],
  [/AUTHORIZATION_FAILED$/, EXIT.permission],
  [/TIMED_OUT$/, EXIT.timeout],
  [/TOO_LARGE$|POLICY_VIOLATION|^INVALID_/, EXIT.refused],
];

/** Gives errors of the messaging clients the exit code that scripts expect. */
export function clientFailure(error: unknown): unknown {
  if (!(error instanceof LyrebirdError)) return error;
  if (error.code === 'LB6001') {
    return commandError(
      error,
      EXIT.unreachable,
      'is it running? lyrebird start prints its addresses',
    );
  }
  if (error.code === 'LB6002') return commandError(error, EXIT.timeout, null);
  if (error.code !== 'LB6003') return error;
  const { name } = error.details;
  const exit =
    EXIT_BY_NAME.find(([pattern]) => typeof name === 'string' && pattern.test(name))?.[1] ??
    EXIT.failure;
  const hint = exit === EXIT.notFound ? 'lyrebird topic list shows what exists' : null;
  return commandError(error, exit, hint);
}

function commandError(error: LyrebirdError, exit: ExitCode, hint: string | null): CommandError {
  return new CommandError(exit, error.message, { code: error.code, hint, cause: error });
}
