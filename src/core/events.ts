import type { DiskState, Unsubscribe } from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { GroupEvent } from './group/events.ts';
import type { TopicInfo } from './metadata-image.ts';
import type { Namespace } from './namespace/namespace-store.ts';
import type { QueueView } from './queue-types.ts';
import type { QuotaEntity } from './quota/quota-entity.ts';

/** Everything that is told on a broker's bus: name -> payload. */
export interface BrokerEvents {
  readonly 'topic-created': { readonly topic: TopicInfo };
  readonly 'topic-deleted': { readonly topic: TopicInfo };
  readonly 'partitions-added': { readonly topic: TopicInfo; readonly previousCount: number };
  readonly 'config-changed': { readonly topic: TopicInfo };
  /** Settings of a scope changed; see settings.ts. */
  readonly 'settings-changed': { readonly scope: string };
  readonly 'quotas-changed': { readonly entity: QuotaEntity };
  readonly 'namespace-created': { readonly namespace: Namespace };
  readonly 'namespace-changed': { readonly namespace: Namespace };
  /** What was in it is deleted, or about to be: connections to it are to be closed. */
  readonly 'namespace-deleted': { readonly name: string };
  /** Users or permissions changed; user: who came, went or changed, else null. */
  readonly 'security-changed': { readonly user: string | null; readonly deleted: boolean };
  /** What policies make of queues and exchanges of the namespace may differ now. */
  readonly 'policies-changed': { readonly namespace: string };
  /** A runtime parameter; namespace and component are null when it is a global one. */
  readonly 'parameter-changed': {
    readonly namespace: string | null;
    readonly component: string | null;
    readonly name: string;
  };
  readonly 'queue-created': { readonly queue: QueueView };
  /** It is gone already: with its last consumer, its connection, its time, or because somebody wanted so. */
  readonly 'queue-deleted': { readonly queue: QueueView };
  readonly 'disk-state': { readonly state: DiskState };
  readonly group: GroupEvent;
}

export type EventName = keyof BrokerEvents;

/**
 * Tells what changed to whoever asked, synchronously and in the order of subscribing. For changes, never for
 * single messages. A listener that throws is logged and does not keep the others from hearing.
 */
export class EventBus {
  private readonly listeners = new Map<EventName, readonly ((payload: never) => void)[]>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  on<Name extends EventName>(
    name: Name,
    listener: (payload: BrokerEvents[Name]) => void,
  ): Unsubscribe {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
    return () => {
      const left = (this.listeners.get(name) ?? []).filter((other) => other !== listener);
      this.listeners.set(name, left);
    };
  }

  emit<Name extends EventName>(name: Name, payload: BrokerEvents[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      try {
        (listener as (payload: BrokerEvents[Name]) => void)(payload);
      } catch (error) {
        this.logger.error('events.listener-failed', 'a listener of an event threw', {
          name,
          error,
        });
      }
    }
  }
}
