import type { MetaEntry, MetaOp, MetaStore } from '../../storage/meta-store.ts';
import type { Unsubscribe } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { NewBinding, NewExchange } from '../routing-types.ts';
import type { BindingEnd } from './binding.ts';
import { isArgumentDefect } from './exchange-kinds.ts';
import type { Exchange } from './exchange.ts';
import type { RoutingGraph } from './routing-graph.ts';
import {
  BINDING_PREFIX,
  EXCHANGE_PREFIX,
  bindingKey,
  decodeBinding,
  decodeExchange,
  encodeBinding,
  encodeExchange,
  exchangeKey,
  parseBindingKey,
  parseExchangeKey,
} from './routing-records.ts';
import type { Removal } from './routing-space.ts';

/** Changes by others that are waited out before a change gives up. */
const ATTEMPTS_MAX = 10;

export interface RoutingStoreOptions {
  readonly meta: MetaStore;
  readonly graph: RoutingGraph;
  readonly logger: Logger;
}

/**
 * Durable exchanges and bindings in the metadata store. A change is a transaction first; the graph follows what the
 * store tells, whoever made the change. What goes as a consequence (bindings of a queue that was deleted, exchanges
 * whose last binding went) leaves the graph at once and the store right after.
 */
export class RoutingStore {
  private readonly meta: MetaStore;
  private readonly graph: RoutingGraph;
  private readonly logger: Logger;
  private readonly unwatch: Unsubscribe[] = [];

  constructor(options: RoutingStoreOptions) {
    this.meta = options.meta;
    this.graph = options.graph;
    this.logger = options.logger;
  }

  /** Reads what exists, when queues and topics are there. Bindings that lost an end are removed. */
  load(): void {
    const { meta } = this;
    for (const { key, value } of meta.range(EXCHANGE_PREFIX)) this.applyExchange(key, value);
    const orphans: string[] = [];
    for (const { key, value } of meta.range(BINDING_PREFIX)) {
      if (!this.applyBinding(key, value)) orphans.push(key);
    }
    void this.deleteKeys(orphans);
    this.unwatch.push(
      meta.watch(EXCHANGE_PREFIX, ({ key, value }) => this.applyExchange(key, value)),
      meta.watch(BINDING_PREFIX, ({ key, value }) => {
        if (!this.applyBinding(key, value)) void this.deleteKeys([key]);
      }),
    );
  }

  close(): void {
    for (const unwatch of this.unwatch.splice(0)) unwatch();
  }

  /** Makes an exchange durable. False: somebody else made one of that name. Rejects when storage does. */
  async createExchange(exchange: NewExchange): Promise<boolean> {
    const key = exchangeKey(exchange.namespace, exchange.name);
    const { succeeded } = await this.meta.txn({
      compares: [{ key, modRevision: 0 }],
      then: [{ op: 'put', key, value: encodeExchange(exchange) }],
    });
    this.applyExchange(key, this.meta.get(key)?.value ?? null);
    return succeeded;
  }

  /** Deletes a durable exchange with the bindings at it. False: it kept changing. Rejects when storage does. */
  async deleteExchange(exchange: Exchange): Promise<boolean> {
    const key = exchangeKey(exchange.namespace, exchange.name);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const entry = this.meta.get(key);
      if (entry === null) return true;
      const then: MetaOp[] = [{ op: 'delete', key }];
      for (const binding of [...exchange.outgoing.values(), ...exchange.incoming]) {
        if (binding.durable) then.push({ op: 'delete', key: bindingKey(binding) });
      }
      const { succeeded } = await this.meta.txn({ compares: [compareOf(entry)], then });
      if (!succeeded) continue;
      this.applyExchange(key, this.meta.get(key)?.value ?? null);
      return true;
    }
    return false;
  }

  /** Makes a binding durable. False: an end is gone. Rejects when storage does. */
  async createBinding(
    binding: NewBinding,
    ends: { readonly from: Exchange; readonly to: BindingEnd },
  ): Promise<boolean> {
    const key = bindingKey(binding);
    const compares = [];
    for (const end of [ends.from, ends.to]) {
      if (end.kind !== 'exchange' || end.predeclared) continue;
      const entry = this.meta.get(exchangeKey(end.namespace, end.name));
      if (entry === null) return false;
      compares.push(compareOf(entry));
    }
    const { succeeded } = await this.meta.txn({
      compares,
      then: [{ op: 'put', key, value: encodeBinding(binding) }],
    });
    if (!succeeded) return false;
    this.applyBinding(key, this.meta.get(key)?.value ?? null);
    return this.graph.space(binding.namespace).find(binding) !== null;
  }

  async deleteBinding(binding: NewBinding): Promise<void> {
    const key = bindingKey(binding);
    await this.meta.txn({ then: [{ op: 'delete', key }] });
    this.applyBinding(key, this.meta.get(key)?.value ?? null);
  }

  /** Deletes the records of what left the graph. Never rejects. */
  async forget(removal: Removal): Promise<void> {
    const keys: string[] = [];
    for (const { namespace, name, durable } of removal.exchanges) {
      if (durable) keys.push(exchangeKey(namespace, name));
    }
    for (const binding of removal.bindings) if (binding.durable) keys.push(bindingKey(binding));
    await this.deleteKeys(keys.filter((key) => this.meta.get(key) !== null));
  }

  /** Deletes all records of a namespace. Rejects when storage does. */
  async deleteNamespace(namespace: string): Promise<void> {
    const prefixes = [EXCHANGE_PREFIX, BINDING_PREFIX];
    const keys = prefixes.flatMap((prefix) => {
      return this.meta.range(`${prefix}${encodeURIComponent(namespace)}/`).map(({ key }) => key);
    });
    if (keys.length === 0) return;
    await this.meta.txn({ then: keys.map((key) => ({ op: 'delete', key })) });
  }

  private async deleteKeys(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    try {
      await this.meta.txn({ then: keys.map((key) => ({ op: 'delete', key })) });
    } catch (error) {
      this.logger.warn('routing.cleanup-failed', 'records of routing that is gone were left', {
        records: keys.length,
        error,
      });
    }
  }

  /** Takes over what the store says of an exchange; nothing happens when that is known already. */
  private applyExchange(key: string, value: string | null): void {
    try {
      const { namespace, name } = parseExchangeKey(key);
      const known = this.graph.knownSpace(namespace)?.exchange(name) ?? null;
      if (known !== null) {
        if (!known.durable || known.predeclared || encodeExchange(known) === value) return;
        const removal = this.graph.remove(namespace, (space, all) => {
          space.removeExchange(known, all);
        });
        void this.forgetConsequences(removal, known);
      }
      if (value === null) return;
      const exchange = this.graph.putExchange(decodeExchange(key, value));
      if (exchange === null || isArgumentDefect(exchange)) {
        throw new TypeError(exchange?.message ?? 'the type of the exchange is unknown');
      }
    } catch (error) {
      this.unreadable(key, error);
    }
  }

  /** The exchange's own record is what the store says it is; others went with it. */
  private forgetConsequences(removal: Removal, exchange: Exchange): Promise<void> {
    const exchanges = removal.exchanges.filter((other) => other !== exchange);
    return this.forget({ exchanges, bindings: removal.bindings });
  }

  /** False: an end is missing, the record is to go. */
  private applyBinding(key: string, value: string | null): boolean {
    try {
      const parts = parseBindingKey(key);
      const { namespace, destinationKind, destination, propertiesKey } = parts;
      if (value === null) {
        const removal = this.graph.remove(namespace, (space, all) => {
          const identity = `${destinationKind}\n${destination}\n${propertiesKey}`;
          const known = space.exchange(parts.source)?.outgoing.get(identity);
          if (known?.durable === true) space.unbind(known, all);
        });
        void this.forget(removal);
        return true;
      }
      const space = this.graph.space(namespace);
      const spec = decodeBinding(key, value);
      if (space.find(spec) !== null) return true;
      const from = space.exchange(spec.source);
      const to = space.end(destinationKind, destination);
      if (from === null || to === null || !isDurableEnd(from) || !isDurableEnd(to)) return false;
      this.graph.bind(spec, { from, to, durable: true });
      return true;
    } catch (error) {
      this.unreadable(key, error);
      return true;
    }
  }

  private unreadable(key: string, error: unknown): void {
    this.logger.error('routing.record-unreadable', 'a record of routing is left out', {
      key,
      error,
    });
  }
}

/** Whether a binding at this end may outlive a restart. */
export function isDurableEnd(end: BindingEnd): boolean {
  if (end.kind === 'topic') return true;
  if (end.kind === 'exchange') return end.durable;
  return end.queue.durable && end.queue.exclusiveOwner === null;
}

function compareOf(entry: MetaEntry): { readonly key: string; readonly modRevision: number } {
  return { key: entry.key, modRevision: entry.modRevision };
}
