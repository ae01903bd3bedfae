/** What can be limited. Rates per second; request-ms: milliseconds of the broker's time, 1000 being all of it. */
export type QuotaKind =
  'publish-bytes' | 'fetch-bytes' | 'request-ms' | 'mutations' | 'connections';

export const QUOTA_KINDS: readonly QuotaKind[] = [
  'publish-bytes',
  'fetch-bytes',
  'request-ms',
  'mutations',
  'connections',
];

/**
 * Whom a quota is for. A name, null for everybody without a rule of their own, absent for "whoever". Either an
 * address alone, or a user, a client id, or both.
 */
export interface QuotaEntity {
  readonly user?: string | null;
  readonly clientId?: string | null;
  readonly address?: string | null;
}

export type QuotaRates = Readonly<Partial<Record<QuotaKind, number>>>;

export interface QuotaEntry {
  readonly entity: QuotaEntity;
  readonly rates: QuotaRates;
}

/** Text that is the same for equal entities only: `user=<name>,client=<name>`, names URI-encoded, `*` for null. */
export function entityKey(entity: QuotaEntity): string {
  const parts: string[] = [];
  if (entity.user !== undefined) parts.push(`user=${encodeName(entity.user)}`);
  if (entity.clientId !== undefined) parts.push(`client=${encodeName(entity.clientId)}`);
  if (entity.address !== undefined) parts.push(`address=${encodeName(entity.address)}`);
  return parts.join(',');
}

export function parseEntityKey(key: string): QuotaEntity {
  const entity: { user?: string | null; clientId?: string | null; address?: string | null } = {};
  for (const part of key.split(',')) {
    const equals = part.indexOf('=');
    const name = decodeName(part.slice(equals + 1));
    const type = part.slice(0, equals);
    if (type === 'user') entity.user = name;
    else if (type === 'client') entity.clientId = name;
    else if (type === 'address') entity.address = name;
  }
  return entity;
}

/** Why there can be no quota for the entity, or null. */
export function findEntityDefect(entity: QuotaEntity): string | null {
  const { user, clientId, address } = entity;
  if (user === undefined && clientId === undefined && address === undefined) {
    return 'a quota is for a user, a client id or an address';
  }
  if (address !== undefined && (user !== undefined || clientId !== undefined)) {
    return 'a quota for an address is for nothing else';
  }
  return [user, clientId, address].includes('') ? 'names of quotas are not empty' : null;
}

// encodeURIComponent leaves '*' as it is, which stands for null here.
function encodeName(name: string | null): string {
  return name === null ? '*' : encodeURIComponent(name).replaceAll('*', '%2A');
}

function decodeName(text: string): string | null {
  return text === '*' ? null : decodeURIComponent(text);
}
