import type { BindingView, ExchangeView } from '../../../../core/routing-types.ts';
import { wireArguments } from '../../arguments.ts';
import { vhostOf } from '../../vhost.ts';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';

export function exchangeRow(management: Management, exchange: ExchangeView): Json {
  const { publishedIn, publishedOut } = exchange.totals;
  return {
    arguments: wireArguments(exchange.arguments),
    auto_delete: exchange.autoDelete,
    durable: exchange.durable,
    internal: exchange.internal,
    message_stats: management.rates.stats(exchange, 'message_stats', {
      publish_in: publishedIn,
      publish_out: publishedOut,
    }),
    name: exchange.name,
    policy: exchange.policy,
    type: exchange.type,
    user_who_performed_action: 'rmq-internal',
    vhost: vhostOf(exchange.namespace),
  };
}

export function exchangeDetail(management: Management, exchange: ExchangeView): Json {
  return { incoming: [], outgoing: [], ...exchangeRow(management, exchange) };
}

export function bindingRow(binding: BindingView): Json {
  return {
    source: binding.source,
    vhost: vhostOf(binding.namespace),
    destination: binding.destination,
    // A topic is a stream queue to AMQP clients.
    destination_type: binding.destinationKind === 'exchange' ? 'exchange' : 'queue',
    routing_key: binding.routingKey,
    arguments: binding.arguments,
    properties_key: propertiesKey(binding),
  };
}

/** A space is a plus there, as in forms. */
function propertiesKey({ propertiesKey: key }: BindingView): string {
  return key.replaceAll('%20', '+');
}
