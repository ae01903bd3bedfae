const RESERVED_PREFIX = 'amq.';

/** Names of what the broker itself declares. */
export function isReserved(name: string): boolean {
  return name.startsWith(RESERVED_PREFIX);
}

/** Line breaks are taken out of names, as RabbitMQ does. */
export function cleanName(name: string): string {
  return name.includes('\n') || name.includes('\r') ? name.replaceAll(/[\r\n]/g, '') : name;
}
