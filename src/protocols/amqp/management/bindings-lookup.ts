import type { BindingView } from '../../../core/routing-types.ts';
import { isStream, type AnyQueue } from './queue-lookup.ts';
import type { Management } from './management.ts';

export interface BindingFilter {
  readonly source?: string;
  readonly destinationKind?: BindingView['destinationKind'];
  readonly destination?: string;
}

/** Bindings, with those that every queue has to the default exchange. */
export function findBindings(
  management: Management,
  namespace: string,
  filter: BindingFilter = {},
): readonly BindingView[] {
  const made = management.router.bindings(namespace, filter);
  if ((filter.source ?? '') !== '' || filter.destinationKind === 'exchange') return made;
  return [...implicitBindings(management, namespace, filter.destination ?? null), ...made];
}

function implicitBindings(
  management: Management,
  namespace: string,
  destination: string | null,
): readonly BindingView[] {
  if (destination === null) {
    const all = [...management.queuesIn(namespace), ...management.streamsIn(namespace)];
    return all.map(implicitBinding);
  }
  const queue =
    management.queues.byName(namespace, destination) ??
    management.broker.topics.byName(namespace, destination);
  return queue === null ? [] : [implicitBinding(queue)];
}

function implicitBinding(queue: AnyQueue): BindingView {
  return {
    namespace: queue.namespace,
    source: '',
    destinationKind: isStream(queue) ? 'topic' : 'queue',
    destination: queue.name,
    routingKey: queue.name,
    arguments: {},
    propertiesKey: encodeURIComponent(queue.name).replaceAll('~', '%7E'),
    durable: true,
  };
}
