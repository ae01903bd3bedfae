import type { Message } from '../message/message.ts';
import type { BindingView } from '../routing-types.ts';
import type { Binding } from './binding.ts';
import type { Exchange } from './exchange.ts';
import type { RoutingSpace } from './routing-space.ts';

export interface Explanation {
  readonly destination: string;
  /** The bindings on the way, first to last; none: by its name. */
  readonly via: readonly BindingView[];
}

/** An exchange that the message comes to, and how. */
interface Visit {
  readonly exchange: Exchange;
  readonly via: readonly BindingView[];
}

/**
 * Who would get a message from an exchange, and on which way (one for each, the shortest). Where chance decides,
 * all who might; delays are passed over. Nothing is changed or remembered.
 */
export function explainRoute(
  space: RoutingSpace,
  from: Exchange,
  message: Message,
): readonly Explanation[] {
  const explanations = new Map<string, Explanation>();
  const seen = new Set([from]);
  const visits: Visit[] = [{ exchange: from, via: [] }];
  const reach = (kind: string, destination: string, via: readonly BindingView[]): void => {
    const id = `${kind}/${destination}`;
    if (!explanations.has(id)) explanations.set(id, { destination, via });
  };
  for (const { exchange, via } of visits) {
    let matches = 0;
    const enter = (next: Exchange, way: readonly BindingView[]): void => {
      if (!seen.has(next)) visits.push({ exchange: next, via: way });
      seen.add(next);
    };
    const visitor = {
      visitBinding(binding: Binding): void {
        matches++;
        const way = [...via, binding];
        if (binding.to.kind === 'exchange') enter(binding.to, way);
        else reach(binding.to.kind, binding.destination, way);
      },
    };
    for (const key of keysOf(exchange, message)) {
      if (exchange !== space.defaultExchange) {
        exchange.behaviour.matchPossible(key, message, visitor);
        continue;
      }
      const kind = space.queueTarget(key)?.kind ?? space.topicTarget(key)?.kind;
      if (kind === undefined) continue;
      matches++;
      reach(kind, key, via);
    }
    const alternate = space.exchange(exchange.alternateExchange ?? exchange.name);
    if (matches === 0 && alternate !== null) enter(alternate, via);
  }
  return [...explanations.values()];
}

function keysOf(exchange: Exchange, message: Message): readonly string[] {
  const { routingKey, furtherKeys } = message;
  if (furtherKeys === null || !exchange.behaviour.perKey) return [routingKey];
  return [routingKey, ...furtherKeys];
}
