import { LyrebirdError } from '../base/errors.ts';
import type { ListenerSpec } from './options.ts';
import { PROTOCOLS, type ProtocolEntry } from './protocols.ts';

export const ADMIN_SCHEME = 'admin';
export const ADMIN_PORT = 9644;

/** A listener with its port chosen; protocol null: the admin interface. */
export interface PlannedListener extends ListenerSpec {
  readonly port: number;
  readonly protocol: ProtocolEntry | null;
}

/** What to open: the usual ports on loopback when nothing is asked for. Throws LB1001 for a scheme nobody speaks. */
export function planListeners(specs: readonly ListenerSpec[]): PlannedListener[] {
  return (specs.length > 0 ? specs : usualListeners()).map((spec) => {
    const protocol = PROTOCOLS.find(({ scheme }) => scheme === spec.scheme) ?? null;
    if (protocol === null && spec.scheme !== ADMIN_SCHEME) {
      const known = [...PROTOCOLS.map(({ scheme }) => scheme), ADMIN_SCHEME].join(', ');
      throw new LyrebirdError(
        'LB1001',
        `listener ${spec.name}: ${spec.scheme} is not spoken here; known: ${known}`,
        { details: { listener: spec.name, scheme: spec.scheme } },
      );
    }
    return { ...spec, protocol, port: spec.port ?? protocol?.defaultPort ?? ADMIN_PORT };
  });
}

function usualListeners(): ListenerSpec[] {
  return [...PROTOCOLS.map(({ scheme }) => scheme), ADMIN_SCHEME].map((scheme) => ({
    name: scheme,
    scheme,
    host: '127.0.0.1',
    port: null,
    tls: null,
  }));
}
