import type { NewBinding, NewExchange } from '../routing-types.ts';
import type { Binding, BindingEnd } from './binding.ts';
import {
  createExchangeKind,
  isArgumentDefect,
  type ArgumentDefect,
  type KindPorts,
} from './exchange-kinds.ts';
import { Exchange, type ExchangePolicy } from './exchange.ts';
import { predeclaredExchanges } from './predeclared.ts';
import type { QueueSink } from './queue-sink.ts';
import { Removal, RoutingSpace, type EndRegistry } from './routing-space.ts';
import { TargetSets } from './target-sets.ts';

export interface GraphPorts extends KindPorts {
  readonly ends: EndRegistry;
  readonly sink: QueueSink;
  /** The policy in force for an exchange, or null. */
  readonly policyOf: (namespace: string, name: string) => ExchangePolicy | null;
}

/** The exchanges and bindings of all namespaces, in memory. */
export class RoutingGraph {
  /** Counts up at every change of what exists. */
  revision = 0;
  exchangeCount = 0;
  bindingCount = 0;
  readonly sets: TargetSets;
  private readonly ports: GraphPorts;
  private readonly spaces = new Map<string, RoutingSpace>();

  constructor(ports: GraphPorts) {
    this.ports = ports;
    this.sets = new TargetSets(ports.sink);
  }

  /** A namespace, made with what each has when it is asked for first. */
  space(namespace: string): RoutingSpace {
    const known = this.spaces.get(namespace);
    if (known !== undefined) return known;
    const { ends, sink } = this.ports;
    const space = new RoutingSpace(namespace, { ends, sink, sets: this.sets });
    this.spaces.set(namespace, space);
    this.exchangeCount += space.exchangeCount;
    for (const exchange of predeclaredExchanges(namespace)) this.putExchange(exchange, true);
    return space;
  }

  /** The namespace, or null when nobody asked for it yet. */
  knownSpace(namespace: string): RoutingSpace | null {
    return this.spaces.get(namespace) ?? null;
  }

  /** Adds an exchange whose name is free. Null: there is no such type. */
  putExchange(spec: NewExchange, predeclared = false): Exchange | ArgumentDefect | null {
    const behaviour = createExchangeKind(spec.type, spec.arguments, this.ports);
    if (behaviour === null || isArgumentDefect(behaviour)) return behaviour;
    const exchange = new Exchange(spec, behaviour, predeclared);
    exchange.setPolicy(this.ports.policyOf(spec.namespace, spec.name));
    this.space(spec.namespace).putExchange(exchange);
    this.exchangeCount++;
    this.revision++;
    return exchange;
  }

  /** What is wrong with the arguments of an exchange whose type exists, or null. */
  checkExchange(spec: NewExchange): ArgumentDefect | null {
    const behaviour = createExchangeKind(spec.type, spec.arguments, this.ports);
    return behaviour !== null && isArgumentDefect(behaviour) ? behaviour : null;
  }

  bind(
    spec: NewBinding,
    ends: { readonly from: Exchange; readonly to: BindingEnd; readonly durable: boolean },
  ): Binding {
    this.revision++;
    this.bindingCount++;
    return this.space(spec.namespace).bind(spec, ends);
  }

  /** Does a removal in a namespace, and tells everything that went with it. */
  remove(namespace: string, work: (space: RoutingSpace, removal: Removal) => void): Removal {
    const removal = new Removal();
    const space = this.spaces.get(namespace);
    if (space === undefined) return removal;
    work(space, removal);
    this.exchangeCount -= removal.exchanges.length;
    this.bindingCount -= removal.bindings.length;
    if (removal.bindings.length + removal.exchanges.length > 0) this.revision++;
    return removal;
  }

  dropSpace(namespace: string): void {
    const space = this.spaces.get(namespace);
    if (space === undefined) return;
    this.spaces.delete(namespace);
    this.exchangeCount -= space.exchangeCount;
    this.bindingCount -= space.bindingCount;
    this.revision++;
  }

  /** Policies of a namespace changed. */
  refreshPolicies(namespace: string): void {
    const space = this.spaces.get(namespace);
    if (space === undefined) return;
    for (const exchange of space.exchanges()) {
      const policy = this.ports.policyOf(namespace, exchange.name);
      const same =
        policy?.name === (exchange.policy ?? undefined) &&
        (policy?.alternateExchange ?? null) === exchange.policyAlternate;
      if (!same) space.setPolicy(exchange, policy);
    }
    this.revision++;
  }
}
