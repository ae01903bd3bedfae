import type { Message } from '../message/message.ts';
import type { Binding } from './binding.ts';
import type { Exchange } from './exchange.ts';
import type { BindingVisitor } from './kinds/exchange-kind.ts';
import type { Route, TopicRoute } from './route.ts';
import type { RoutingSpace } from './routing-space.ts';
import type { TargetSets } from './target-sets.ts';
import type { QueueTarget, TopicTarget } from './target.ts';

const NO_TOPICS: readonly TopicRoute[] = [];
const NO_EXCHANGES: readonly Exchange[] = [];
const UNFIXED: Route = {
  fixed: false,
  dependsOnKey: true,
  queues: null,
  queueCount: 0,
  topics: NO_TOPICS,
  delaying: NO_EXCHANGES,
};

/**
 * The way of messages through exchanges. Each exchange, queue and topic is visited once in a walk, so that cycles end
 * and nobody gets a message twice. An exchange of whose bindings none matches passes on to its alternate.
 */
export class RouteWalk implements BindingVisitor {
  private readonly sets: TargetSets;
  private readonly queues: QueueTarget[] = [];
  private readonly topics: TopicRoute[] = [];
  private readonly delaying: Exchange[] = [];
  private readonly work: Exchange[] = [];
  /** Number of this walk: what carries it was visited. */
  private walk = 0;
  private matches = 0;

  constructor(sets: TargetSets) {
    this.sets = sets;
  }

  /** The route of all messages with that key; not fixed when messages with the same key may go different ways. */
  survey(space: RoutingSpace, from: Exchange, message: Message): Route {
    this.begin(from);
    let dependsOnKey = false;
    for (let next = this.work.pop(); next !== undefined; next = this.work.pop()) {
      const { dependsOn } = next.behaviour;
      if (dependsOn === 'message' || next === space.defaultExchange) return UNFIXED;
      if (dependsOn === 'key') dependsOnKey = true;
      const before = this.matches;
      this.matchKey(space, next, message.routingKey, message);
      if (this.matches === before) this.enterAlternate(space, next);
    }
    return this.finish(true, dependsOnKey);
  }

  /** The route of this very message. Exchanges that keep a history remember it. */
  follow(space: RoutingSpace, from: Exchange, message: Message): Route {
    this.begin(from);
    for (let next = this.work.pop(); next !== undefined; next = this.work.pop()) {
      if (next.delays && message.delayMs > 0) {
        this.delaying.push(next);
        continue;
      }
      next.history?.remember(message);
      const before = this.matches;
      this.matchKey(space, next, message.routingKey, message);
      const { furtherKeys } = message;
      if (furtherKeys !== null && next.behaviour.perKey) {
        for (let i = 0; i < furtherKeys.length; i++) {
          this.matchKey(space, next, furtherKeys[i]!, message);
        }
      }
      if (this.matches === before) this.enterAlternate(space, next);
    }
    return this.finish(false, true);
  }

  visitBinding(binding: Binding): void {
    this.matches++;
    const { to } = binding;
    if (to.kind === 'exchange') this.enter(to);
    else if (to.kind === 'queue') this.reachQueue(to);
    else this.reachTopic(to, binding.topicRoute ?? to);
  }

  private begin(from: Exchange): void {
    this.walk++;
    this.matches = 0;
    this.queues.length = 0;
    this.topics.length = 0;
    this.delaying.length = 0;
    this.work.length = 0;
    this.enter(from);
  }

  private matchKey(space: RoutingSpace, exchange: Exchange, key: string, message: Message): void {
    if (exchange === space.defaultExchange) this.matchName(space, key);
    else exchange.behaviour.match(key, message, this);
  }

  /** What the default exchange does: every queue is bound to it by its name, and every topic that no queue hides. */
  private matchName(space: RoutingSpace, name: string): void {
    const queue = space.queueTarget(name);
    const topic = queue === null ? space.topicTarget(name) : null;
    if (queue === null && topic === null) return;
    this.matches++;
    if (queue !== null) this.reachQueue(queue);
    if (topic !== null) this.reachTopic(topic, topic);
  }

  private enterAlternate(space: RoutingSpace, exchange: Exchange): void {
    const name = exchange.alternateExchange;
    const alternate = name === null ? null : space.exchange(name);
    if (alternate !== null) this.enter(alternate);
  }

  private enter(exchange: Exchange): void {
    if (exchange.walk === this.walk) return;
    exchange.walk = this.walk;
    this.work.push(exchange);
  }

  private reachQueue(target: QueueTarget): void {
    if (target.walk === this.walk || target.queue.gone) return;
    target.walk = this.walk;
    this.queues.push(target);
  }

  private reachTopic(target: TopicTarget, route: TopicRoute): void {
    if (target.walk === this.walk) return;
    target.walk = this.walk;
    this.topics.push(route);
  }

  private finish(fixed: boolean, dependsOnKey: boolean): Route {
    return {
      fixed,
      dependsOnKey,
      queues: this.sets.of(this.queues),
      queueCount: this.queues.length,
      topics: this.topics.length === 0 ? NO_TOPICS : this.topics.slice(),
      delaying: this.delaying.length === 0 ? NO_EXCHANGES : this.delaying.slice(),
    };
  }
}
