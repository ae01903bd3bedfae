import { LyrebirdError } from '../base/errors.ts';
import type { ListenerSpec } from './options.ts';
import { PROTOCOLS, type ProtocolEntry, type ProtocolHttp } from './protocols.ts';

export const ADMIN_SCHEME = 'admin';
export const ADMIN_PORT = 9644;

/** A listener with its port chosen; protocol null: the admin interface. http: one of the protocol's HTTP interfaces. */
export interface PlannedListener extends ListenerSpec {
  readonly port: number;
  readonly protocol: ProtocolEntry | null;
  readonly http: ProtocolHttp | null;
  /** Clients have to log in: it may be reached from other machines. */
  readonly authenticates: boolean;
}

/** What to open: the usual ports on loopback when nothing is asked for. Throws LB1001 for a scheme nobody speaks. */
export function planListeners(specs: readonly ListenerSpec[]): PlannedListener[] {
  return (specs.length > 0 ? specs : usualListeners()).map(planListener);
}

function planListener(spec: ListenerSpec): PlannedListener {
  if (spec.scheme === ADMIN_SCHEME) {
    const port = spec.port ?? ADMIN_PORT;
    return { ...spec, port, protocol: null, http: null, authenticates: false };
  }
  for (const protocol of PROTOCOLS) {
    if (protocol.scheme === spec.scheme) {
      const { authenticates, defaultPort } = protocol;
      return { ...spec, port: spec.port ?? defaultPort, protocol, http: null, authenticates };
    }
    const http = protocol.http.find(({ scheme }) => scheme === spec.scheme);
    if (http !== undefined) {
      const { authenticates, defaultPort } = http;
      return { ...spec, port: spec.port ?? defaultPort, protocol, http, authenticates };
    }
  }
  throw new LyrebirdError(
    'LB1001',
    `listener ${spec.name}: ${spec.scheme} is not spoken here; known: ${schemes().join(', ')}`,
    { details: { listener: spec.name, scheme: spec.scheme } },
  );
}

function schemes(): readonly string[] {
  const spoken = PROTOCOLS.flatMap(({ scheme, http }) => [
    scheme,
    ...http.map((one) => one.scheme),
  ]);
  return [...spoken, ADMIN_SCHEME];
}

function usualListeners(): ListenerSpec[] {
  return schemes().map((scheme) => ({
    name: scheme,
    scheme,
    host: '127.0.0.1',
    port: null,
    tls: null,
  }));
}
