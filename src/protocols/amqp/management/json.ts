export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As RabbitMQ writes instants: 2026-11-21T19:21:15.126+00:00. */
export function instantText(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '+00:00');
}
