import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { LyrebirdError } from '../base/errors.ts';
import type { ClientSettings, MessagingClient } from '../server/clients.ts';
import { findContext, type Context } from './context-store.ts';
import { parseBrokers, refuseFlags, type Destination } from './destination.ts';
import { CommandError, EXIT, usageError, type ExitCode } from './exit-codes.ts';
import { withContext } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface BrokerOptions extends Omit<Context, 'server'> {
  readonly context?: string;
  readonly timeout?: string;
}

/** For commands that speak a messaging protocol. */
export function withBroker(command: Command): Command {
  return withConnection(
    withContext(command).option(
      '-b, --broker <host:port>',
      "broker, or several with commas (default: LYREBIRD_BROKER, the context's, 127.0.0.1)",
    ),
  ).option('--timeout <duration>', 'how long to wait for a broker', '10s');
}

/** The flags of the login and checks of a connection; contexts store the same. */
export function withConnection(command: Command): Command {
  return command
    .option('--user <name>', 'amqp: who logs in (default: LYREBIRD_USER, guest)')
    .option(
      '--password-file <file>',
      'amqp: its first line is the password (default: LYREBIRD_PASSWORD, guest)',
    )
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
  const module = clientFor(destination.scheme);
  if (module === null) {
    throw usageError(
      `no client for ${destination.scheme}://`,
      `known: ${CLIENT_SCHEMES.join(', ')}`,
    );
  }
  return module.create(await clientSettings(destination, given, environment));
}

/** How the broker of a destination is reached, by URL, flags, environment and context. */
export async function clientSettings(
  destination: Destination,
  given: BrokerOptions,
  environment: Terminal['environment'],
): Promise<ClientSettings> {
  const { scheme } = destination;
  const { clientFor } = await import('../server/clients.ts');
  const { parseDuration } = await import('../config/units.ts');
  const timeoutMs = parseDuration(given.timeout ?? '10s');
  if (timeoutMs === null || timeoutMs === 0)
    throw usageError(`--timeout ${given.timeout}: expected a duration`);
  if (scheme !== 'amqp') {
    refuseFlags(destination, { '--user': given.user, '--password-file': given.passwordFile });
  }
  const stored = destination.host === null ? storedOptions(given, environment) : {};
  const options = { ...stored, ...given };
  const brokers =
    destination.host !== null
      ? [{ host: destination.host, port: destination.port }]
      : parseBrokers(options.broker ?? '127.0.0.1', scheme, {
          isStored: given.broker === undefined,
        });
  const tls = destination.tls || options.tls === true || options.tlsCa !== undefined;
  const module = clientFor(scheme);
  const usualPort = (tls ? module?.defaultTlsPort : module?.defaultPort) ?? 0;
  if (brokers.length === 0) throw usageError(`no broker for ${scheme}:// in ${options.broker}`);
  return {
    bootstrap: brokers.map(({ host, port }) => ({ host, port: port ?? usualPort })),
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
    credentials: credentials(destination, given, stored, environment),
    virtualHost: destination.virtualHost,
  };
}

/** Without --broker: LYREBIRD_BROKER, unless --context is given, or what the context says. */
function storedOptions(given: BrokerOptions, environment: Terminal['environment']): Context {
  if (given.broker !== undefined) return {};
  const broker = environment['LYREBIRD_BROKER'];
  if (given.context === undefined && broker !== undefined) return { broker };
  return findContext(environment, given.context) ?? {};
}

/** The URL goes before flags, these before the environment, and that before the context. */
function credentials(
  { user, password }: Destination,
  given: BrokerOptions,
  stored: Context,
  environment: Terminal['environment'],
): { readonly user: string; readonly password: string } | null {
  if (user !== null) {
    return { user, password: password ?? passwordOf(given, {}, environment) };
  }
  const name = given.user ?? environment['LYREBIRD_USER'] ?? stored.user;
  return name === undefined
    ? null
    : { user: name, password: passwordOf(given, stored, environment) };
}

function passwordOf(
  given: BrokerOptions,
  stored: Context,
  environment: Terminal['environment'],
): string {
  if (given.passwordFile !== undefined) return readPassword(given.passwordFile);
  const password = environment['LYREBIRD_PASSWORD'];
  if (password !== undefined) return password;
  return stored.passwordFile === undefined ? 'guest' : readPassword(stored.passwordFile);
}

function readPassword(path: string): string {
  return /^[^\r\n]*/.exec(readText(path))?.[0] ?? '';
}

function readPem(name: 'ca' | 'cert' | 'key', path: string | undefined): Record<string, string> {
  return path === undefined ? {} : { [name]: readText(path) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CommandError(EXIT.notFound, `cannot read ${path}`, { cause });
  }
}

const EXIT_BY_NAME: readonly (readonly [RegExp, ExitCode])[] = [
  [/^UNKNOWN_TOPIC|_NOT_FOUND$|^NOT_FOUND$|^NO_ROUTE$/, EXIT.notFound],
  [/AUTHORIZATION_FAILED$|^ACCESS_REFUSED$|^NOT_ALLOWED$/, EXIT.permission],
  [/^PRECONDITION_FAILED$|^RESOURCE_LOCKED$/, EXIT.conflict],
  [/TIMED_OUT$/, EXIT.timeout],
  [/TOO_LARGE$|POLICY_VIOLATION|^INVALID_|^NACKED$|^RESOURCE_ERROR$/, EXIT.refused],
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
  return commandError(error, exit, hintFor(error, exit));
}

function hintFor({ details }: LyrebirdError, exit: ExitCode): string | null {
  if (details['replyCode'] === undefined) {
    return exit === EXIT.notFound ? 'lyrebird topic list shows what exists' : null;
  }
  if (exit === EXIT.notFound) return 'lyrebird queue list shows what exists';
  if (exit === EXIT.permission) {
    return 'LYREBIRD_USER and LYREBIRD_PASSWORD, --user and --password-file, or the URL say who you are, ?vhost= where';
  }
  return null;
}

function commandError(error: LyrebirdError, exit: ExitCode, hint: string | null): CommandError {
  return new CommandError(exit, error.message, { code: error.code, hint, cause: error });
}
