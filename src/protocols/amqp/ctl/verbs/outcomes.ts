import type { ChangeOutcome } from '../../../../security/outcome.ts';
import { namespaceOf } from '../../vhost.ts';
import { CTL_EXIT, CtlError, type CtlCall } from '../verb.ts';

/** Throws unless it was done. */
export function expectDone(outcome: ChangeOutcome, banner: string, unknown: string): void {
  if (outcome.status === 'ok') return;
  if (outcome.status === 'invalid') throw new CtlError(CTL_EXIT.data, outcome.message, banner);
  throw new CtlError(CTL_EXIT.noUser, unknown, banner);
}

export const noUser = (name: string): string => `User "${name}" does not exist`;
export const noVhost = (name: string): string => `Virtual host '${name}' does not exist`;

/** The namespace of -p, which must be there. */
export function namespaceIn({ management, options }: CtlCall, banner: string): string {
  const namespace = namespaceOf(options.vhost);
  if (management.broker.namespaces.has(namespace)) return namespace;
  throw new CtlError(CTL_EXIT.noUser, noVhost(options.vhost), banner);
}

/** JSON that somebody typed. */
export function parseJson(text: string, banner: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CtlError(CTL_EXIT.data, `JSON decoding error: ${why}`, banner);
  }
}
