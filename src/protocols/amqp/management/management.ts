import type { Broker } from '../../../core/broker.ts';
import type { QueueRegistry, QueueView } from '../../../core/queue-types.ts';
import type { Router } from '../../../core/routing-types.ts';
import type { TopicView } from '../../../core/types.ts';
import type { AmqpConnection } from '../connection.ts';
import type { AmqpServices } from '../services.ts';
import type { ManagementPorts } from './ports.ts';
import { Rates } from './rates.ts';

/** What all requests work on. */
export class Management {
  readonly ports: ManagementPorts;
  readonly rates: Rates;
  private readonly sortedQueues = new Map<string, readonly QueueView[]>();
  private sortedRevision = -1;

  constructor(ports: ManagementPorts) {
    this.ports = ports;
    this.rates = new Rates(this.broker.clock);
  }

  get services(): AmqpServices {
    return this.ports.frontend.services;
  }

  get broker(): Broker {
    return this.services.broker;
  }

  get queues(): QueueRegistry {
    return this.services.queues;
  }

  get router(): Router {
    return this.services.router;
  }

  get nodeName(): string {
    return this.ports.nodeName;
  }

  /** The version of RabbitMQ that this behaves like. */
  get announcedVersion(): string {
    return this.services.config.announcedVersion;
  }

  get clusterName(): string {
    const named = this.broker.parameters.getGlobal('cluster_name')?.value;
    return typeof named === 'string' ? named : this.services.config.clusterName;
  }

  /** In name order; sorted again only after queues came or went. */
  queuesIn(namespace: string): readonly QueueView[] {
    const { revision } = this.queues;
    if (revision !== this.sortedRevision) {
      this.sortedQueues.clear();
      this.sortedRevision = revision;
    }
    let sorted = this.sortedQueues.get(namespace);
    if (sorted === undefined) {
      sorted = this.queues.list(namespace);
      this.sortedQueues.set(namespace, sorted);
    }
    return sorted;
  }

  /** Topics: streams to AMQP clients. A queue hides one of the same name. */
  streamsIn(namespace: string): readonly TopicView[] {
    return this.broker.topics
      .list(namespace)
      .filter(({ internal, name }) => !internal && this.queues.byName(namespace, name) === null);
  }

  /** Clients that finished their handshake and are not being closed. */
  *connections(): Iterable<AmqpConnection> {
    for (const connection of this.ports.frontend.connections) {
      if (connection.phase === 'running') yield connection;
    }
  }
}
