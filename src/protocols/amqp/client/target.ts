/** What the path of a destination names. */
export type Target =
  | { readonly kind: 'queue'; readonly queue: string }
  | { readonly kind: 'exchange'; readonly exchange: string; readonly routingKey: string };

/**
 * `orders` is a queue; `logs/error.disk` an exchange and a routing key, which may be empty (`logs/`) and may contain
 * slashes. Percent signs escape.
 */
export function parseTarget(path: string): Target {
  const slash = path.indexOf('/');
  if (slash < 0) return { kind: 'queue', queue: decodeURIComponent(path) };
  const exchange = decodeURIComponent(path.slice(0, slash));
  const routingKey = decodeURIComponent(path.slice(slash + 1));
  if (exchange === '') return { kind: 'queue', queue: routingKey };
  return { kind: 'exchange', exchange, routingKey };
}

/** For the messages of errors. */
export function describeTarget(target: Target): string {
  return target.kind === 'queue' ? `queue ${target.queue}` : `exchange ${target.exchange}`;
}
