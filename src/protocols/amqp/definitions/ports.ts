import type { Broker } from '../../../core/broker.ts';
import type { QueueRegistry } from '../../../core/queue-types.ts';
import type { Router } from '../../../core/routing-types.ts';

/** What exporting and importing work on. */
export interface DefinitionsPorts {
  readonly broker: Pick<Broker, 'namespaces' | 'security' | 'policies' | 'parameters' | 'logger'>;
  readonly queues: Pick<QueueRegistry, 'list' | 'declare'>;
  readonly router: Pick<Router, 'exchanges' | 'exchange' | 'bindings' | 'declareExchange' | 'bind'>;
}

/** Names that only the server gives. */
export function isReservedName(name: string): boolean {
  return name === '' || name.startsWith('amq.');
}
