import type { AmqpConnection } from './connection.ts';
import { accessRefused, named } from './errors.ts';

type Right = 'configure' | 'write' | 'read';
type Kind = 'queue' | 'exchange';

const DEFAULT_EXCHANGE = 'default exchange';
/** Answers kept for publishes: exchanges with their routing keys, where these matter. */
const KEPT_MAX = 1000;

/** What the user of a connection may do. Answers for publishes are kept until users or permissions change. */
export class ConnectionAccess {
  private readonly owner: AmqpConnection;
  private revision = 0;
  private readonly publishable = new Set<string>();
  private readonly publishableTopics = new Set<string>();
  private lastExchange: string | null = null;

  constructor(owner: AmqpConnection) {
    this.owner = owner;
  }

  /** Whether the user may publish in the name of others. */
  get mayImpersonate(): boolean {
    const { principal, services } = this.owner;
    return (
      services.broker.security.users.get(principal.name)?.tags.includes('impersonator') === true
    );
  }

  /** Throws when the user lacks the right. */
  check(right: Right, kind: Kind, name: string): void {
    const { owner } = this;
    const { broker } = owner.services;
    const allowed = broker.authorizer.allows({
      principal: owner.principal,
      host: owner.connection.remoteAddress,
      operation: right,
      resource: kind,
      namespace: owner.namespace,
      name,
    });
    if (allowed) return;
    const resource =
      kind === 'exchange' && name === '' ? DEFAULT_EXCHANGE : named(kind, name, owner.vhost);
    throw accessRefused(`${right} access to ${resource} refused for user '${owner.user}'`);
  }

  /** Publishing takes the right to write to the exchange, and to the routing key where it is a topic. */
  checkPublish(exchange: string, routingKey: string, isTopic: boolean): void {
    const { security } = this.owner.services.broker;
    if (this.revision !== security.revision) this.forget(security.revision);
    if (exchange !== this.lastExchange) {
      if (!this.publishable.has(exchange)) {
        this.check('write', 'exchange', exchange);
        if (this.publishable.size < KEPT_MAX) this.publishable.add(exchange);
      }
      this.lastExchange = exchange;
    }
    if (isTopic) this.checkTopic('write', exchange, routingKey);
  }

  /** For bindings: reading from an exchange by a routing key. */
  checkTopic(right: 'read' | 'write', exchange: string, routingKey: string): void {
    const { owner } = this;
    const { authorizer } = owner.services.broker;
    if (authorizer.allowsTopic === undefined || !this.isTopic(exchange)) return;
    const entry = right === 'write' ? `${exchange}\0${routingKey}` : '';
    if (entry !== '' && this.publishableTopics.has(entry)) return;
    const allowed = authorizer.allowsTopic({
      principal: owner.principal,
      namespace: owner.namespace,
      exchange,
      operation: right,
      routingKey,
      variables: { vhost: owner.vhost },
    });
    if (!allowed) {
      throw accessRefused(
        `${right} access to topic '${routingKey}' in ${named('exchange', exchange, owner.vhost)} ` +
          `refused for user '${owner.user}'`,
      );
    }
    if (entry !== '' && this.publishableTopics.size < KEPT_MAX) this.publishableTopics.add(entry);
  }

  private isTopic(exchange: string): boolean {
    const { services, namespace } = this.owner;
    return exchange !== '' && services.router.exchange(namespace, exchange)?.type === 'topic';
  }

  private forget(revision: number): void {
    this.revision = revision;
    this.publishable.clear();
    this.publishableTopics.clear();
    this.lastExchange = null;
  }
}
