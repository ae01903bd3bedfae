import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { SECURITY_DEFAULTS, Security, type SecurityOptions } from '../../security/security.ts';
import type { MetaStore } from '../../storage/meta-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventBus } from '../events.ts';
import { MetaRecords } from '../meta-records.ts';
import { ParameterStore } from '../parameters/parameter-store.ts';
import { PolicyStore } from '../policy/policy-store.ts';
import { DEFAULT_NAMESPACE, NamespaceStore, type NamespaceChange } from './namespace-store.ts';
import { Usage } from './usage.ts';

export interface TenancyOptions {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly security: Partial<SecurityOptions>;
}

/** Namespaces, who may do what in them, and the policies and parameters they have: composed on one set of records. */
export class Tenancy {
  readonly namespaces: NamespaceStore;
  readonly security: Security;
  readonly usage: Usage;
  readonly policies: PolicyStore;
  readonly parameters: ParameterStore;
  private readonly records: MetaRecords;

  constructor({ meta, clock, random, logger, events, security }: TenancyOptions) {
    const records = new MetaRecords(meta, logger);
    this.records = records;
    this.namespaces = new NamespaceStore({
      records,
      logger,
      onChange: (change) => tell(events, change),
    });
    const hasNamespace = (name: string): boolean => this.namespaces.has(name);
    this.security = new Security({
      records,
      random,
      clock,
      hasNamespace,
      onChange: (change) => events.emit('security-changed', change),
      options: { ...SECURITY_DEFAULTS, ...security },
    });
    this.usage = new Usage(this.namespaces, this.security.users);
    this.policies = new PolicyStore({
      records,
      logger,
      hasNamespace,
      onChange: (namespace) => events.emit('policies-changed', { namespace }),
    });
    this.parameters = new ParameterStore({
      records,
      hasNamespace,
      onChange: (change) => events.emit('parameter-changed', change),
    });
    this.namespaces.addCleaner((namespace) => this.clean(namespace));
  }

  /** Reads what is stored; call it once, when the engine is open. A broker that never ran gets its first records. */
  async load(): Promise<void> {
    const { records, namespaces, security } = this;
    records.load();
    namespaces.load();
    await records.transact((transaction) => {
      if (!security.isNew(transaction)) return;
      namespaces.ensure(transaction, DEFAULT_NAMESPACE);
      security.welcome(transaction, DEFAULT_NAMESPACE);
    });
  }

  close(): void {
    this.records.close();
  }

  private clean(namespace: string): Promise<void> {
    return this.records.transact((transaction) => {
      this.security.permissions.removeAll(transaction, { namespace });
      this.policies.removeAll(transaction, namespace);
      this.parameters.removeAll(transaction, namespace);
    });
  }
}

function tell(events: EventBus, change: NamespaceChange): void {
  switch (change.kind) {
    case 'created':
      events.emit('namespace-created', { namespace: change.namespace });
      break;
    case 'changed':
      events.emit('namespace-changed', { namespace: change.namespace });
      break;
    case 'deleted':
      events.emit('namespace-deleted', { name: change.name });
  }
}
