import { findNameDefect } from '../../security/names.ts';
import { CHANGED, CREATED, invalid, type ChangeOutcome } from '../../security/outcome.ts';
import { RecordReader } from '../../security/record-reader.ts';
import type { RecordTable, RecordTransaction, Records } from '../../security/records.ts';
import type { ArgumentValue } from '../queue-types.ts';

/** A runtime parameter of a component (shovel, federation-upstream, ...): JSON that core does not look into. */
export interface Parameter {
  readonly namespace: string;
  readonly component: string;
  readonly name: string;
  readonly value: ArgumentValue;
}

/** A parameter of the whole cluster: cluster_name and the like. */
export interface GlobalParameter {
  readonly name: string;
  readonly value: ArgumentValue;
}

/** What is wrong with a value, or null. */
export type ParameterCheck = (name: string, value: ArgumentValue) => string | null;

/** The parameters of a broker. */
export class ParameterStore {
  private readonly records: Records;
  private readonly hasNamespace: (name: string) => boolean;
  private readonly table: RecordTable<Parameter>;
  private readonly globals: RecordTable<GlobalParameter>;
  private readonly checks = new Map<string, ParameterCheck>();

  constructor(options: {
    readonly records: Records;
    readonly hasNamespace: (name: string) => boolean;
    /** namespace and component are null when a global one changed. */
    readonly onChange: (change: {
      readonly namespace: string | null;
      readonly component: string | null;
      readonly name: string;
    }) => void;
  }) {
    const { records, hasNamespace, onChange } = options;
    this.records = records;
    this.hasNamespace = hasNamespace;
    this.table = records.table<Parameter>({
      name: 'parameters',
      decode: (value, [namespace = '', component = '', name = '']) =>
        Object.freeze({ namespace, component, name, value: valueOf(value) }),
      onChange: ([namespace = '', component = '', name = '']) =>
        onChange({ namespace, component, name }),
    });
    this.globals = records.table<GlobalParameter>({
      name: 'global-parameters',
      decode: (value, [name = '']) => Object.freeze({ name, value: valueOf(value) }),
      onChange: ([name = '']) => onChange({ namespace: null, component: null, name }),
    });
  }

  /** What a component asks of its parameters. Those of components without a check are kept as they are. */
  addCheck(component: string, check: ParameterCheck): void {
    this.checks.set(component, check);
  }

  get(namespace: string, component: string, name: string): Parameter | null {
    return this.table.get(namespace, component, name);
  }

  list(
    filter: { readonly namespace?: string; readonly component?: string } = {},
  ): readonly Parameter[] {
    return this.table
      .list()
      .filter(
        ({ namespace, component }) =>
          (filter.namespace ?? namespace) === namespace &&
          (filter.component ?? component) === component,
      );
  }

  async set(parameter: Parameter): Promise<ChangeOutcome> {
    const { namespace, component, name, value } = parameter;
    const defect =
      findNameDefect('component', component) ??
      findNameDefect('parameter', name) ??
      this.checks.get(component)?.(name, value) ??
      null;
    if (defect !== null) return invalid(defect);
    if (!this.hasNamespace(namespace)) return { status: 'unknown', what: 'namespace' };
    return this.records.transact((transaction) => {
      const known = transaction.get(this.table, namespace, component, name);
      const record: Parameter = { namespace, component, name, value };
      transaction.put(this.table, [namespace, component, name], record);
      return known === null ? CREATED : CHANGED;
    });
  }

  async clear(namespace: string, component: string, name: string): Promise<ChangeOutcome> {
    return this.records.transact((transaction): ChangeOutcome => {
      if (transaction.get(this.table, namespace, component, name) === null) {
        return { status: 'unknown', what: 'record' };
      }
      transaction.delete(this.table, [namespace, component, name]);
      return CHANGED;
    });
  }

  /** Part of a larger change. */
  removeAll(transaction: RecordTransaction, namespace: string): void {
    for (const { component, name } of this.list({ namespace })) {
      transaction.delete(this.table, [namespace, component, name]);
    }
  }

  getGlobal(name: string): GlobalParameter | null {
    return this.globals.get(name);
  }

  listGlobal(): readonly GlobalParameter[] {
    return this.globals.list();
  }

  async setGlobal(name: string, value: ArgumentValue): Promise<ChangeOutcome> {
    const defect = findNameDefect('parameter', name);
    if (defect !== null) return invalid(defect);
    return this.records.transact((transaction) => {
      const known = transaction.get(this.globals, name);
      transaction.put(this.globals, [name], { name, value });
      return known === null ? CREATED : CHANGED;
    });
  }

  async clearGlobal(name: string): Promise<ChangeOutcome> {
    return this.records.transact((transaction): ChangeOutcome => {
      if (transaction.get(this.globals, name) === null) {
        return { status: 'unknown', what: 'record' };
      }
      transaction.delete(this.globals, [name]);
      return CHANGED;
    });
  }
}

function valueOf(record: unknown): ArgumentValue {
  return new RecordReader(record).value('value') as ArgumentValue;
}
