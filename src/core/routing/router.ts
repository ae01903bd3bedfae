import type { MetaStore } from '../../storage/meta-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Message } from '../message/message.ts';
import type { ArgumentValue, QueueView } from '../queue-types.ts';
import type {
  BindingOutcome,
  BindingView,
  ExchangeOutcome,
  ExchangeView,
  NewBinding,
  NewExchange,
  PublishResult,
  Router,
} from '../routing-types.ts';
import {
  canonicalText,
  findTopicArgumentDefect,
  type Binding,
  type BindingEnd,
} from './binding.ts';
import { EXCHANGE_TYPES, comparedArguments, isArgumentDefect } from './exchange-kinds.ts';
import type { Exchange } from './exchange.ts';
import { explainRoute, type Explanation } from './explain.ts';
import { argumentOf } from './kinds/exchange-kind.ts';
import { Publisher } from './publisher.ts';
import type { TopicSink } from './queue-sink.ts';
import { RoutingGraph, type GraphPorts } from './routing-graph.ts';
import { exchangeKey } from './routing-records.ts';
import type { Removal, RoutingSpace } from './routing-space.ts';
import { RoutingStore, isDurableEnd } from './routing-store.ts';

/** Times that a declaration is begun again because others changed the same exchange. */
const ATTEMPTS_MAX = 10;

export interface RouterOptions extends GraphPorts {
  readonly meta: MetaStore;
  readonly logger: Logger;
  readonly topicSink: TopicSink;
  readonly exchangesMax: () => number;
  readonly bindingsMax: () => number;
}

/** The router of a broker. Life: load() when queues and topics are there, then use, then close(). */
export class MessageRouter implements Router {
  private readonly options: RouterOptions;
  private readonly graph: RoutingGraph;
  private readonly store: RoutingStore;
  private readonly publisher: Publisher;
  /** Exchanges that are being made durable, by key. */
  private readonly creating = new Map<string, Promise<ExchangeOutcome>>();

  constructor(options: RouterOptions) {
    const { meta, logger, sink, topicSink } = options;
    this.options = options;
    this.graph = new RoutingGraph(options);
    this.store = new RoutingStore({ meta, logger, graph: this.graph });
    this.publisher = new Publisher(sink, topicSink, this.graph.sets);
  }

  get revision(): number {
    return this.graph.revision;
  }

  get exchangeCount(): number {
    return this.graph.exchangeCount;
  }

  get bindingCount(): number {
    return this.graph.bindingCount;
  }

  load(): void {
    this.store.load();
  }

  close(): void {
    this.store.close();
  }

  exchange(namespace: string, name: string): ExchangeView | null {
    return this.graph.space(namespace).exchange(name);
  }

  exchanges(namespace: string): readonly ExchangeView[] {
    return [...this.graph.space(namespace).exchanges()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  declareExchange(spec: NewExchange): Promise<ExchangeOutcome> | ExchangeOutcome {
    const { namespace, name, type } = spec;
    if (!EXCHANGE_TYPES.includes(type)) {
      return { status: 'unknown-type', message: `there is no exchange type '${type}'` };
    }
    const existing = this.graph.space(namespace).exchange(name);
    if (existing !== null) return compareExchanges(spec, existing);
    const key = exchangeKey(namespace, name);
    const pending = this.creating.get(key);
    if (pending !== undefined) return pending.then(() => this.declareExchange(spec));
    const max = this.options.exchangesMax();
    if (this.graph.exchangeCount + this.creating.size >= max) {
      return {
        status: 'limit',
        message: `the limit of ${max} exchanges (exchanges.max) is reached`,
      };
    }
    const obstacle = this.graph.checkExchange(spec);
    if (obstacle !== null) return { status: 'invalid-argument', ...obstacle };
    if (!spec.durable) {
      const exchange = this.graph.putExchange(spec);
      if (exchange !== null && !isArgumentDefect(exchange)) {
        return { status: 'ok', exchange, created: true };
      }
    }
    const creation = this.createDurable(spec).finally(() => this.creating.delete(key));
    this.creating.set(key, creation);
    return creation;
  }

  async deleteExchange(
    namespace: string,
    name: string,
    conditions: { readonly ifUnused?: boolean },
  ): ReturnType<Router['deleteExchange']> {
    const exchange = this.graph.space(namespace).exchange(name);
    if (exchange === null) return { status: 'unknown' };
    if (exchange.predeclared) return { status: 'predeclared' };
    if (conditions.ifUnused === true && exchange.outgoing.size > 0) return { status: 'in-use' };
    if (!exchange.durable) {
      await this.remove(namespace, (space, removal) => space.removeExchange(exchange, removal));
      return { status: 'ok' };
    }
    try {
      return { status: (await this.store.deleteExchange(exchange)) ? 'ok' : 'failed' };
    } catch (error) {
      this.failed('delete an exchange', name, error);
      return { status: 'failed' };
    }
  }

  bind(spec: NewBinding): Promise<BindingOutcome> | BindingOutcome {
    const space = this.graph.space(spec.namespace);
    if (touchesDefault(spec)) return { status: 'default-exchange' };
    const from = space.exchange(spec.source);
    if (from === null) return { status: 'no-source' };
    const to = space.end(spec.destinationKind, spec.destination);
    if (to === null) return { status: 'no-destination' };
    const defect =
      from.behaviour.findBindingDefect(spec.routingKey, spec.arguments) ??
      (to.kind === 'topic' ? findTopicArgumentDefect(spec.arguments) : null);
    if (defect !== null) return { status: 'invalid-argument', message: defect };
    if (space.find(spec) !== null) return { status: 'ok', changed: false };
    const max = this.options.bindingsMax();
    if (this.graph.bindingCount >= max) {
      return { status: 'limit', message: `the limit of ${max} bindings (bindings.max) is reached` };
    }
    if (isDurableEnd(from) && isDurableEnd(to)) return this.bindDurably(spec, from, to);
    this.replayHistory(space, this.graph.bind(spec, { from, to, durable: false }));
    return { status: 'ok', changed: true };
  }

  unbind(spec: NewBinding): Promise<BindingOutcome> | BindingOutcome {
    if (touchesDefault(spec)) return { status: 'default-exchange' };
    const binding = this.graph.space(spec.namespace).find(spec);
    if (binding === null) return { status: 'ok', changed: false };
    if (binding.durable) return this.unbindDurably(binding);
    void this.remove(spec.namespace, (space, removal) => space.unbind(binding, removal));
    return { status: 'ok', changed: true };
  }

  bindings(
    namespace: string,
    filter: Parameters<Router['bindings']>[1] = {},
  ): readonly BindingView[] {
    const { source, destinationKind, destination } = filter;
    const space = this.graph.space(namespace);
    const matches = (binding: BindingView): boolean =>
      (source === undefined || binding.source === source) &&
      (destinationKind === undefined || binding.destinationKind === destinationKind) &&
      (destination === undefined || binding.destination === destination);
    const candidates = candidatesFor(space, filter);
    return candidates.filter(matches);
  }

  publish(namespace: string, message: Message): PublishResult | null {
    const space = this.graph.space(namespace);
    const exchange = space.exchange(message.exchange);
    return exchange === null ? null : this.publisher.publish(space, exchange, message);
  }

  /** Routes a message that an exchange delayed, by the bindings of now. Null: that exchange is gone. */
  publishDue(namespace: string, exchangeName: string, message: Message): PublishResult | null {
    const space = this.graph.space(namespace);
    const exchange = space.exchange(exchangeName);
    return exchange === null ? null : this.publisher.route(space, exchange, message);
  }

  publishToQueue(queue: QueueView, message: Message): PublishResult {
    return this.publisher.publishToQueue(this.graph.space(queue.namespace), queue, message);
  }

  explain(namespace: string, message: Message): readonly Explanation[] {
    const space = this.graph.space(namespace);
    const exchange = space.exchange(message.exchange);
    return exchange === null ? [] : explainRoute(space, exchange, message);
  }

  /** The queue was deleted: its bindings go, and what is deleted with them. Resolves when that is durable. */
  queueDeleted(queue: QueueView): Promise<void> {
    return this.remove(queue.namespace, (space, removal) => space.removeQueue(queue, removal));
  }

  topicDeleted(namespace: string, name: string): Promise<void> {
    return this.remove(namespace, (space, removal) => space.removeTopic(name, removal));
  }

  /** Deletes everything of a namespace. Rejects when storage does. */
  async dropNamespace(namespace: string): Promise<void> {
    await this.store.deleteNamespace(namespace);
    this.graph.dropSpace(namespace);
  }

  policiesChanged(namespace: string): void {
    this.graph.refreshPolicies(namespace);
  }

  private async createDurable(spec: NewExchange): Promise<ExchangeOutcome> {
    const space = this.graph.space(spec.namespace);
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const created = await this.store.createExchange(spec);
        const exchange = space.exchange(spec.name);
        if (exchange === null) continue;
        return created ? { status: 'ok', exchange, created } : compareExchanges(spec, exchange);
      }
      return { status: 'failed', message: 'the exchange kept changing' };
    } catch (error) {
      return { status: 'failed', message: this.failed('declare an exchange', spec.name, error) };
    }
  }

  private async bindDurably(
    spec: NewBinding,
    from: Exchange,
    to: BindingEnd,
  ): Promise<BindingOutcome> {
    const space = this.graph.space(spec.namespace);
    try {
      if (!(await this.store.createBinding(spec, { from, to }))) {
        const source = space.exchange(spec.source);
        return { status: source === null ? 'no-source' : 'no-destination' };
      }
      const binding = space.find(spec);
      if (binding !== null) this.replayHistory(space, binding);
      return { status: 'ok', changed: true };
    } catch (error) {
      return { status: 'failed', message: this.failed('bind', spec.destination, error) };
    }
  }

  private async unbindDurably(binding: Binding): Promise<BindingOutcome> {
    try {
      await this.store.deleteBinding(binding);
      return { status: 'ok', changed: true };
    } catch (error) {
      return { status: 'failed', message: this.failed('unbind', binding.destination, error) };
    }
  }

  private remove(
    namespace: string,
    work: (space: RoutingSpace, removal: Removal) => void,
  ): Promise<void> {
    return this.store.forget(this.graph.remove(namespace, work));
  }

  /** Sends what the source remembers to whoever was just bound to it. */
  private replayHistory(space: RoutingSpace, binding: Binding): void {
    const { from, to } = binding;
    for (const message of from.history?.all() ?? []) {
      if (to.kind === 'queue') this.options.sink.publish(to.alone, message);
      else if (to.kind === 'exchange') this.publisher.route(space, to, message);
      else this.options.topicSink.publish(to.topic, message, binding.topicRoute?.key ?? to.key);
    }
  }

  private failed(what: string, name: string, error: unknown): string {
    this.options.logger.warn('routing.change-failed', `could not ${what}`, { name, error });
    return error instanceof Error ? error.message : String(error);
  }
}

function touchesDefault(binding: NewBinding): boolean {
  return (
    binding.source === '' || (binding.destinationKind === 'exchange' && binding.destination === '')
  );
}

/** The smallest collection at hand that holds what a filter asks for. */
function candidatesFor(
  space: RoutingSpace,
  filter: NonNullable<Parameters<Router['bindings']>[1]>,
): readonly Binding[] {
  const { source, destinationKind, destination } = filter;
  if (source !== undefined) return [...(space.exchange(source)?.outgoing.values() ?? [])];
  if (destinationKind !== undefined && destination !== undefined) {
    return [...(space.end(destinationKind, destination)?.incoming ?? [])];
  }
  return [...space.exchanges()].flatMap((exchange) => [...exchange.outgoing.values()]);
}

/** Whether an exchange is what a declaration says it is: the first property that differs is told. */
function compareExchanges(spec: NewExchange, exchange: Exchange): ExchangeOutcome {
  const pairs: (readonly [property: string, received: string, current: string])[] = [
    ['type', spec.type, exchange.type],
    ['durable', String(spec.durable), String(exchange.durable)],
    ['auto_delete', String(spec.autoDelete), String(exchange.autoDelete)],
    ['internal', String(spec.internal), String(exchange.internal)],
  ];
  for (const name of comparedArguments(exchange.type)) {
    const received = textOf(argumentOf(spec.arguments, name));
    pairs.push([name, received, textOf(argumentOf(exchange.arguments, name))]);
  }
  const different = pairs.find(([, received, current]) => received !== current);
  if (different === undefined) return { status: 'ok', exchange, created: false };
  const [property, received, current] = different;
  return { status: 'inequivalent', exchange, property, received, current };
}

function textOf(argument: ArgumentValue | undefined): string {
  if (argument === undefined) return 'none';
  return typeof argument === 'string' ? argument : canonicalText(argument);
}
