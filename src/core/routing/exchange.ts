import type { Arguments } from '../queue-types.ts';
import type { ExchangeView, NewExchange } from '../routing-types.ts';
import type { Binding } from './binding.ts';
import { DelayedKind } from './kinds/delayed.ts';
import { argumentOf, type ExchangeKind } from './kinds/exchange-kind.ts';
import { RecentHistoryKind, type RecentHistory } from './kinds/recent-history.ts';
import { MatchCache } from './match-cache.ts';
import type { Route } from './route.ts';

/** Keys of one exchange whose routes are remembered. */
const CACHED_ROUTES_MAX = 8192;

/** What a policy says of an exchange. */
export interface ExchangePolicy {
  readonly name: string;
  readonly alternateExchange: string | null;
}

/** A node of the routing graph, with the routes that begin here as far as they are remembered. */
export class Exchange implements ExchangeView {
  readonly kind = 'exchange';
  readonly behaviour: ExchangeKind;
  /** Messages with a delay wait here. */
  readonly delays: boolean;
  readonly history: RecentHistory | null;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: Arguments;
  readonly predeclared: boolean;
  readonly totals = { publishedIn: 0, publishedOut: 0 };
  /** Bindings from here, by identity. */
  readonly outgoing = new Map<string, Binding>();
  /** Bindings from other exchanges. */
  readonly incoming = new Set<Binding>();
  /** The walk that reached it last. */
  walk = 0;
  private readonly routes = new MatchCache<Route>(CACHED_ROUTES_MAX);
  /** The route of all keys, where they make no difference. */
  private routeOfAll: Route | null = null;
  private currentPolicy: ExchangePolicy | null = null;

  constructor(exchange: NewExchange, behaviour: ExchangeKind, predeclared: boolean) {
    this.behaviour = behaviour;
    this.delays = behaviour instanceof DelayedKind;
    this.history = behaviour instanceof RecentHistoryKind ? behaviour.history : null;
    this.namespace = exchange.namespace;
    this.name = exchange.name;
    this.type = exchange.type;
    this.durable = exchange.durable;
    this.autoDelete = exchange.autoDelete;
    this.internal = exchange.internal;
    this.arguments = exchange.arguments;
    this.predeclared = predeclared;
  }

  get policy(): string | null {
    return this.currentPolicy?.name ?? null;
  }

  get policyAlternate(): string | null {
    return this.currentPolicy?.alternateExchange ?? null;
  }

  /** The argument wins over the policy. */
  get alternateExchange(): string | null {
    const argument = argumentOf(this.arguments, 'alternate-exchange');
    return typeof argument === 'string' ? argument : this.policyAlternate;
  }

  setPolicy(policy: ExchangePolicy | null): void {
    this.currentPolicy = policy;
  }

  routeOf(key: string): Route | undefined {
    return this.routeOfAll ?? this.routes.get(key);
  }

  rememberRoute(key: string, route: Route): void {
    if (route.dependsOnKey) this.routes.set(key, route);
    else this.routeOfAll = route;
  }

  /** Forgets the routes of a key, or all. */
  forgetRoutes(key: string | null): void {
    this.routeOfAll = null;
    if (key === null) this.routes.clear();
    else this.routes.delete(key);
  }
}
