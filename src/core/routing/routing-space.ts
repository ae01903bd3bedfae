import type { Arguments, QueueView } from '../queue-types.ts';
import type { BindingView, NewBinding } from '../routing-types.ts';
import type { TopicView } from '../types.ts';
import { Binding, identityOf, type BindingEnd } from './binding.ts';
import { Exchange } from './exchange.ts';
import { DirectKind } from './kinds/direct.ts';
import type { TargetSets } from './target-sets.ts';
import type { QueueSink } from './queue-sink.ts';
import { QueueTarget, TopicTarget } from './target.ts';

/** What the ends of bindings are found by. */
export interface EndRegistry {
  queue(namespace: string, name: string): QueueView | null;
  topic(namespace: string, name: string): TopicView | null;
}

/** Everything that went with a removal. */
export class Removal {
  readonly exchanges: Exchange[] = [];
  readonly bindings: Binding[] = [];
}

const NO_ARGUMENTS: Arguments = Object.freeze({});

/**
 * The routing graph of one namespace, in memory. Remembered routes are forgotten here: a change reaches back over
 * bindings and alternates to every exchange whose routes may have led through it.
 */
export class RoutingSpace {
  readonly namespace: string;
  readonly defaultExchange: Exchange;
  bindingCount = 0;
  private readonly ends: EndRegistry;
  private readonly sink: QueueSink;
  private readonly sets: TargetSets;
  private readonly byName = new Map<string, Exchange>();
  private readonly queueTargets = new Map<string, QueueTarget>();
  private readonly topicTargets = new Map<string, TopicTarget>();
  /** Exchanges by the name of their alternate. */
  private readonly alternates = new Map<string, Set<Exchange>>();
  private nextTargetId = 1;

  constructor(
    namespace: string,
    ports: { readonly ends: EndRegistry; readonly sink: QueueSink; readonly sets: TargetSets },
  ) {
    this.namespace = namespace;
    this.ends = ports.ends;
    this.sink = ports.sink;
    this.sets = ports.sets;
    this.defaultExchange = new Exchange(
      {
        namespace,
        name: '',
        type: 'direct',
        durable: true,
        autoDelete: false,
        internal: false,
        arguments: NO_ARGUMENTS,
      },
      new DirectKind(),
      true,
    );
    this.byName.set('', this.defaultExchange);
  }

  get exchangeCount(): number {
    return this.byName.size;
  }

  exchange(name: string): Exchange | null {
    return this.byName.get(name) ?? null;
  }

  exchanges(): IterableIterator<Exchange> {
    return this.byName.values();
  }

  /** The queue of that name as the end of routes, or null when there is none. */
  queueTarget(name: string): QueueTarget | null {
    const known = this.queueTargets.get(name);
    if (known !== undefined && !known.queue.gone) return known;
    const queue = this.ends.queue(this.namespace, name);
    if (queue === null || queue.gone) return null;
    const target = new QueueTarget(queue, this.nextTargetId++, this.sink.targetSet([queue]));
    this.queueTargets.set(name, target);
    return target;
  }

  topicTarget(name: string): TopicTarget | null {
    const topic = this.ends.topic(this.namespace, name);
    if (topic === null) return null;
    const known = this.topicTargets.get(name);
    if (known?.topic === topic) return known;
    const target = new TopicTarget(topic);
    this.topicTargets.set(name, target);
    return target;
  }

  /** Where a binding is to lead, or null when there is no such thing. */
  end(kind: BindingView['destinationKind'], name: string): BindingEnd | null {
    if (kind === 'queue') return this.queueTarget(name);
    if (kind === 'topic') return this.topicTarget(name);
    return name === '' ? null : this.exchange(name);
  }

  putExchange(exchange: Exchange): void {
    this.byName.set(exchange.name, exchange);
    this.linkAlternate(exchange);
    this.forgetThrough(exchange);
  }

  /** Changes what a policy says of an exchange. */
  setPolicy(exchange: Exchange, policy: Parameters<Exchange['setPolicy']>[0]): void {
    this.unlinkAlternate(exchange);
    exchange.setPolicy(policy);
    this.linkAlternate(exchange);
    this.forget(exchange, null);
  }

  find(binding: NewBinding): Binding | null {
    return this.exchange(binding.source)?.outgoing.get(identityOf(binding)) ?? null;
  }

  /** The binding must not exist yet. */
  bind(
    spec: NewBinding,
    ends: { readonly from: Exchange; readonly to: BindingEnd; readonly durable: boolean },
  ): Binding {
    const binding = new Binding(spec, ends);
    const { from, to } = ends;
    from.outgoing.set(binding.identity, binding);
    from.behaviour.add(binding);
    if (to.kind === 'exchange') to.incoming.add(binding);
    else (to.incoming ??= new Set()).add(binding);
    this.bindingCount++;
    this.forget(from, from.behaviour.keyAffectedBy(binding));
    return binding;
  }

  /** Removes a binding, and every exchange that is to go with its last one. */
  unbind(binding: Binding, removal: Removal): void {
    const emptied: Exchange[] = [];
    this.detach(binding, removal, emptied);
    this.removeAll(emptied, removal);
  }

  removeExchange(exchange: Exchange, removal: Removal): void {
    this.removeAll([exchange], removal);
  }

  removeQueue(queue: QueueView, removal: Removal): void {
    const target = this.queueTargets.get(queue.name);
    if (target?.queue !== queue) return;
    this.queueTargets.delete(queue.name);
    if (target.shared) this.sets.clear();
    this.removeEnd(target, removal);
  }

  removeTopic(name: string, removal: Removal): void {
    const target = this.topicTargets.get(name);
    if (target === undefined) return;
    this.topicTargets.delete(name);
    this.removeEnd(target, removal);
  }

  private removeEnd(end: BindingEnd, removal: Removal): void {
    const emptied: Exchange[] = [];
    for (const binding of end.incoming ?? []) this.detach(binding, removal, emptied);
    this.removeAll(emptied, removal);
  }

  private detach(binding: Binding, removal: Removal, emptied: Exchange[]): void {
    const { from, to } = binding;
    if (!from.outgoing.delete(binding.identity)) return;
    from.behaviour.remove(binding);
    to.incoming?.delete(binding);
    this.bindingCount--;
    removal.bindings.push(binding);
    this.forget(from, from.behaviour.keyAffectedBy(binding));
    if (from.autoDelete && from.outgoing.size === 0) emptied.push(from);
  }

  private removeAll(exchanges: Exchange[], removal: Removal): void {
    for (let exchange = exchanges.pop(); exchange !== undefined; exchange = exchanges.pop()) {
      if (this.byName.get(exchange.name) !== exchange || exchange.predeclared) continue;
      this.forgetThrough(exchange);
      this.byName.delete(exchange.name);
      this.unlinkAlternate(exchange);
      removal.exchanges.push(exchange);
      for (const binding of exchange.outgoing.values()) this.detach(binding, removal, exchanges);
      for (const binding of exchange.incoming) this.detach(binding, removal, exchanges);
    }
  }

  private linkAlternate(exchange: Exchange): void {
    const name = exchange.alternateExchange;
    if (name === null) return;
    const sources = this.alternates.get(name);
    if (sources === undefined) this.alternates.set(name, new Set([exchange]));
    else sources.add(exchange);
  }

  private unlinkAlternate(exchange: Exchange): void {
    const name = exchange.alternateExchange;
    if (name === null) return;
    const sources = this.alternates.get(name);
    sources?.delete(exchange);
    if (sources?.size === 0) this.alternates.delete(name);
  }

  /** Forgets routes of the exchange for the key, or all, and all routes that lead through it. */
  private forget(exchange: Exchange, key: string | null): void {
    exchange.forgetRoutes(key);
    if (exchange.incoming.size > 0 || this.alternates.has(exchange.name)) {
      this.forgetThrough(exchange);
    }
  }

  private forgetThrough(changed: Exchange): void {
    const reached = new Set([changed]);
    // The set grows while it is walked: what is added is walked, too.
    for (const exchange of reached) {
      if (exchange !== changed) exchange.forgetRoutes(null);
      for (const binding of exchange.incoming) reached.add(binding.from);
      for (const source of this.alternates.get(exchange.name) ?? []) reached.add(source);
    }
  }
}
