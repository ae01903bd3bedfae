import { z } from 'zod';
import { list } from './setting.ts';

/** One address to open. */
export interface ListenerConfig {
  /** Unique; the scheme, with a number behind it from the second on, when none was given. */
  readonly name: string;
  /** Protocol without transport: `kafka` for kafka+tls:// as well. */
  readonly scheme: string;
  readonly transport: 'tcp' | 'tls' | 'ws' | 'wss';
  readonly host: string;
  /** Null: the protocol's usual port. */
  readonly port: number | null;
  readonly tls: ListenerTls | null;
}

/** PEM files. */
export interface ListenerTls {
  readonly cert: string;
  readonly key: string;
  /** Peers must show a certificate of this authority. */
  readonly clientCa: string | null;
}

const LOOPBACK = '127.0.0.1';
const TRANSPORTS: Readonly<Record<string, ListenerConfig['transport']>> = {
  '': 'tcp',
  tls: 'tls',
  ws: 'ws',
  wss: 'wss',
};

type UnnamedListener = Omit<ListenerConfig, 'name'> & { readonly name: string | null };

/**
 * `scheme[+tls|+ws|+wss]://[host][:port][?name=..&cert=..&key=..&client_ca=..]`; the host defaults to loopback,
 * `*` means every address. Returns what is wrong as text.
 */
export function parseListenerUrl(url: string): UnnamedListener | string {
  const match =
    /^([a-z][a-z0-9]*)(?:\+([a-z]+))?:\/\/(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?\/?(?:\?(.*))?$/i.exec(
      url.trim(),
    );
  if (match === null) return `expected an address such as kafka://127.0.0.1:9092, not ${url}`;
  const [, scheme = '', suffix = '', bracketed = '', portText, query = ''] = match;
  const transport = TRANSPORTS[suffix.toLowerCase()];
  if (transport === undefined) return `+${suffix} is not a transport; known: +tls, +ws, +wss`;
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && port > 65_535) return `port ${port} is above 65535`;
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!['name', 'cert', 'key', 'client_ca'].includes(name)) {
      return `unknown parameter ${name}; known: name, cert, key, client_ca`;
    }
  }
  const tls = readTls(transport, {
    cert: parameters.get('cert'),
    key: parameters.get('key'),
    clientCa: parameters.get('client_ca'),
  });
  if (typeof tls === 'string') return tls;
  const host = bracketed.replace(/^\[|\]$/g, '');
  return {
    name: parameters.get('name'),
    scheme: scheme.toLowerCase(),
    transport,
    host: host === '' ? LOOPBACK : host === '*' ? '0.0.0.0' : host,
    port,
    tls,
  };
}

function readTls(
  transport: ListenerConfig['transport'],
  files: { cert: string | null; key: string | null; clientCa: string | null },
): ListenerTls | null | string {
  const secure = transport === 'tls' || transport === 'wss';
  const { cert, key, clientCa } = files;
  if (!secure) {
    const given = cert ?? key ?? clientCa;
    return given === null
      ? null
      : 'a certificate is given, but the transport is neither +tls nor +wss';
  }
  if (cert === null || key === null) return `a +${transport} listener needs cert and key`;
  return { cert, key, clientCa };
}

const text = z.string({ error: 'expected text' });
const tableSchema = z.strictObject({
  url: text.describe('scheme://host:port'),
  name: text.optional().describe('Name in logs, metrics and kafka.advertised'),
  cert: text.optional().describe('PEM file of the certificate chain'),
  key: text.optional().describe('PEM file of the private key'),
  client_ca: text
    .optional()
    .describe('PEM file of the authority that client certificates must come from'),
});

/** A URL, or a table with the same facts as the URL's parameters. */
const listenerSchema = z
  .union([z.string(), tableSchema], { error: 'expected an address or a table with url' })
  .transform((value, context): UnnamedListener => {
    const parsed = parseListenerUrl(typeof value === 'string' ? value : tableUrl(value));
    if (typeof parsed !== 'string') return parsed;
    context.addIssue({ code: 'custom', message: parsed });
    return z.NEVER;
  });

function tableUrl(table: z.output<typeof tableSchema>): string {
  const { url, ...rest } = table;
  const parameters = new URLSearchParams(rest as Record<string, string>).toString();
  if (parameters === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}${parameters}`;
}

export function listenersSetting(options: { readonly help: string; readonly default: string }) {
  return list({ ...options, item: listenerSchema, expected: 'a list of addresses' });
}

/** Gives every listener a name of its own. Returns what is wrong as text. */
export function nameListeners(listeners: readonly UnnamedListener[]): ListenerConfig[] | string {
  const used = new Set<string>();
  for (const { name } of listeners) {
    if (name === null) continue;
    if (used.has(name)) return `two listeners are named ${name}`;
    used.add(name);
  }
  return listeners.map((listener) => {
    if (listener.name !== null) return { ...listener, name: listener.name };
    let name = listener.scheme;
    for (let number = 2; used.has(name); number++) name = `${listener.scheme}-${number}`;
    used.add(name);
    return { ...listener, name };
  });
}
