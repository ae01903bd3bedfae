import { usageError } from './exit-codes.ts';

/** Where pub, sub and bench go. */
export interface Destination {
  /** `kafka` or `amqp`, without +tls. */
  readonly scheme: string;
  readonly tls: boolean;
  /** Null: the default, or --broker. */
  readonly host: string | null;
  readonly port: number | null;
  /** A topic; of AMQP a queue or exchange/key, percent signs still escaping. */
  readonly name: string;
  /** As the URL says; null: it does not. */
  readonly user: string | null;
  readonly password: string | null;
  /** Of AMQP. */
  readonly virtualHost: string | null;
}

const NOWHERE = {
  tls: false,
  host: null,
  port: null,
  user: null,
  password: null,
  virtualHost: null,
} as const;

/**
 * `topic`, `kafka://topic`, `kafka[+tls]://host[:port]/topic`, or of AMQP `amqp://queue`,
 * `amqp[+tls]://[user[:password]@]host[:port]/queue`, `amqp://host/exchange/key` and `amqp:///exchange/key`, each with
 * `?vhost=name`. Without a path the word behind `//` is the name, so that the short form of a URL needs no host.
 */
export function parseDestination(text: string): Destination {
  const match = /^([a-z][a-z0-9]*)(\+tls)?:\/\/(.*)$/i.exec(text);
  if (match === null) {
    if (text.includes('://'))
      throw usageError(
        `${withoutPassword(text)} is not a destination`,
        'for example kafka://orders',
      );
    return { ...NOWHERE, scheme: 'kafka', name: text };
  }
  const [, word = '', suffix, rest = ''] = match;
  const scheme = word.toLowerCase();
  if (scheme === 'amqps') return parseAmqp(rest, { text, tls: true });
  if (scheme === 'amqp') return parseAmqp(rest, { text, tls: suffix !== undefined });
  const base = { ...NOWHERE, scheme, tls: suffix !== undefined };
  const slash = rest.indexOf('/');
  if (slash < 0) return { ...base, name: requireName(rest, text) };
  const name = requireName(unescape(rest.slice(slash + 1), text), text);
  const authority = rest.slice(0, slash);
  if (authority === '') return { ...base, name };
  return { ...base, ...parseBroker(authority), name };
}

function parseAmqp(
  rest: string,
  from: { readonly text: string; readonly tls: boolean },
): Destination {
  const { text, tls } = from;
  const question = rest.indexOf('?');
  const before = question < 0 ? rest : rest.slice(0, question);
  const virtualHost = question < 0 ? null : parseVirtualHost(rest.slice(question + 1));
  const base = { ...NOWHERE, scheme: 'amqp', tls, virtualHost };
  const slash = before.indexOf('/');
  const authority = slash < 0 ? '' : before.slice(0, slash);
  const name = slash < 0 ? before : before.slice(slash + 1);
  if (name === '' || name === '/') {
    throw usageError(
      `${withoutPassword(text)} names no queue`,
      'for example amqp://127.0.0.1/orders, or amqp://127.0.0.1/exchange/key',
    );
  }
  unescape(name, text);
  return { ...base, ...parseAuthority(authority, text), name };
}

/** `user:password@host:port`, of which every part may be missing. */
function parseAuthority(
  authority: string,
  text: string,
): Pick<Destination, 'host' | 'port' | 'user' | 'password'> {
  const at = authority.lastIndexOf('@');
  const [user, ...password] = at < 0 ? [] : authority.slice(0, at).split(':');
  const host = authority.slice(at + 1);
  return {
    ...(host === '' ? { host: null, port: null } : parseBroker(host)),
    user: user === undefined ? null : unescape(user, text),
    password: password.length === 0 ? null : unescape(password.join(':'), text),
  };
}

/** The URI of RabbitMQ's own tools, whose path is a virtual host: `amqp://user:password@host:port/vhost`. */
export function parseAmqpUri(text: string): Destination {
  const match = /^amqp(s|\+tls)?:\/\/([^/?]*)(?:\/([^/?]*))?$/i.exec(text);
  if (match === null) {
    throw usageError(
      `${withoutPassword(text)} is not a URI of a broker`,
      'for example amqp://guest:guest@127.0.0.1:5672/',
    );
  }
  const [, suffix, authority = '', virtualHost = ''] = match;
  return {
    ...NOWHERE,
    scheme: 'amqp',
    tls: suffix !== undefined,
    name: '',
    ...parseAuthority(authority, text),
    virtualHost: virtualHost === '' ? null : unescape(virtualHost, text),
  };
}

function parseVirtualHost(query: string): string | null {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name !== 'vhost')
      throw usageError(`amqp://...?${name}: not known`, 'known: vhost; in a name, ? is %3F');
  }
  return parameters.get('vhost');
}

function unescape(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw usageError(`${withoutPassword(text)}: a percent sign is written %25`);
  }
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//***@');
}

function requireName(name: string, text: string): string {
  if (name === '')
    throw usageError(`${text} names no topic`, 'for example kafka://127.0.0.1:9092/orders');
  return name;
}

/**
 * Where a list of brokers says that those of a scheme are: entries are `host`, `host:port` or `scheme://host:port`. Those
 * of another scheme do not count. isStored: a port without a scheme is Kafka's, as contexts and the environment have it.
 */
export function parseBrokers(
  list: string,
  scheme: string,
  options: { readonly isStored: boolean },
): { readonly host: string; readonly port: number | null }[] {
  const brokers = [];
  for (const entry of list.split(',')) {
    const match = /^([a-z][a-z0-9]*):\/\/(.*)$/i.exec(entry.trim());
    const broker = parseBroker(match?.[2] ?? entry);
    if (match !== null && match[1]?.toLowerCase() !== scheme) continue;
    const isAnothers = match === null && options.isStored && scheme !== 'kafka';
    brokers.push(isAnothers ? { ...broker, port: null } : broker);
  }
  return brokers;
}

/** `host` or `host:port`, IPv6 in brackets. */
export function parseBroker(text: string): { host: string; port: number | null } {
  const match = /^(\[[0-9a-f:]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(text.trim());
  if (match === null) throw usageError(`${text} is not host:port`);
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { host, port: match[2] === undefined ? null : Number(match[2]) };
}

/** A flag that means nothing to the protocol of a destination is refused. */
export function refuseFlags(
  destination: Destination,
  flags: Readonly<Record<string, unknown>>,
): void {
  for (const [flag, value] of Object.entries(flags)) {
    if (value === undefined || value === false) continue;
    throw usageError(`${flag} does not go with ${destination.scheme}://`);
  }
}
