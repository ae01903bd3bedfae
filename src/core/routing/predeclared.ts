import type { NewExchange } from '../routing-types.ts';

const TYPES: readonly (readonly [name: string, type: string])[] = [
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.topic', 'topic'],
  ['amq.headers', 'headers'],
  ['amq.match', 'headers'],
  ['amq.rabbitmq.trace', 'topic'],
];

/** The exchanges that every namespace has, beside the default one. */
export function predeclaredExchanges(namespace: string): readonly NewExchange[] {
  return TYPES.map(([name, type]) => ({
    namespace,
    name,
    type,
    durable: true,
    autoDelete: false,
    internal: name === 'amq.rabbitmq.trace',
    arguments: {},
  }));
}
