import type { Message } from '../message/message.ts';
import type { QueueView } from '../queue-types.ts';
import type { PublishResult } from '../routing-types.ts';
import type { Exchange } from './exchange.ts';
import type { QueueSink, TopicSink } from './queue-sink.ts';
import { RouteWalk } from './route-walk.ts';
import type { Route } from './route.ts';
import type { RoutingSpace } from './routing-space.ts';
import type { TargetSets } from './target-sets.ts';

/** The result that is handed out, again and again. */
class ReusedResult implements PublishResult {
  accepted = 0;
  matched = 0;
  rejected = false;

  set(accepted: number, matched: number, rejected: boolean): this {
    this.accepted = accepted;
    this.matched = matched;
    this.rejected = rejected;
    return this;
  }
}

/**
 * Takes messages along their routes. The sinks may publish again while they take a message (dead letters): whatever
 * is needed after that is in local variables.
 */
export class Publisher {
  private readonly sink: QueueSink;
  private readonly topicSink: TopicSink;
  private readonly walk: RouteWalk;
  private readonly result = new ReusedResult();

  constructor(sink: QueueSink, topicSink: TopicSink, sets: TargetSets) {
    this.sink = sink;
    this.topicSink = topicSink;
    this.walk = new RouteWalk(sets);
  }

  publish(space: RoutingSpace, exchange: Exchange, message: Message): PublishResult {
    const { behaviour } = exchange;
    exchange.totals.publishedIn++;
    if (message.furtherKeys !== null || behaviour.dependsOn === 'message') {
      return this.route(space, exchange, message);
    }
    if (exchange === space.defaultExchange) {
      const target = space.queueTarget(message.routingKey);
      if (target === null) return this.route(space, exchange, message);
      exchange.totals.publishedOut++;
      const { accepted, rejected } = this.sink.publish(target.alone, message);
      return this.result.set(accepted, 1, rejected);
    }
    let route = exchange.routeOf(message.routingKey);
    if (route === undefined) {
      route = this.walk.survey(space, exchange, message);
      exchange.rememberRoute(message.routingKey, route);
    }
    if (!route.fixed) return this.route(space, exchange, message);
    return this.take(space, exchange, route, message);
  }

  /** Looks at the message itself, and remembers nothing. */
  route(space: RoutingSpace, exchange: Exchange, message: Message): PublishResult {
    return this.take(space, exchange, this.walk.follow(space, exchange, message), message);
  }

  publishToQueue(space: RoutingSpace, queue: QueueView, message: Message): PublishResult {
    const target = space.queueTarget(queue.name);
    if (target === null || target.queue !== queue) return this.result.set(0, 0, false);
    const { totals } = space.defaultExchange;
    totals.publishedIn++;
    totals.publishedOut++;
    const { accepted, rejected } = this.sink.publish(target.alone, message);
    return this.result.set(accepted, 1, rejected);
  }

  private take(
    space: RoutingSpace,
    exchange: Exchange,
    route: Route,
    message: Message,
  ): PublishResult {
    const { queues, topics, delaying } = route;
    const matched = route.queueCount + topics.length + delaying.length;
    exchange.totals.publishedOut += matched;
    let accepted = 0;
    let rejected = false;
    for (let i = 0; i < topics.length; i++) {
      const { topic, key } = topics[i]!;
      if (this.topicSink.publish(topic, message, key)) accepted++;
      else rejected = true;
    }
    for (let i = 0; i < delaying.length; i++) {
      const outcome = this.sink.defer(space.namespace, delaying[i]!.name, message);
      accepted += outcome.accepted;
      rejected ||= outcome.rejected;
    }
    // Queues last: dead letters may change the message.
    if (queues !== null) {
      const outcome = this.sink.publish(queues, message);
      accepted += outcome.accepted;
      rejected ||= outcome.rejected;
    }
    return this.result.set(accepted, matched, rejected);
  }
}
