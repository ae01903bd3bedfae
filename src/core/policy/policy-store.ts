import { findNameDefect } from '../../security/names.ts';
import { CHANGED, CREATED, invalid, type ChangeOutcome } from '../../security/outcome.ts';
import { Pattern, findPatternDefect } from '../../security/pattern/pattern.ts';
import { RecordReader } from '../../security/record-reader.ts';
import type { RecordTable, RecordTransaction, Records } from '../../security/records.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ArgumentValue, Arguments } from '../queue-types.ts';
import { findDefinitionDefect, fitsSubject, listIneffectiveKeys } from './policy-keys.ts';
import type {
  ApplyTo,
  EffectivePolicy,
  MatchedPolicies,
  Policy,
  PolicyKind,
  PolicySubject,
} from './policy-types.ts';

/** What a policy that does not say applies to. */
export const APPLY_TO: readonly ApplyTo[] = [
  'all',
  'queues',
  'classic_queues',
  'quorum_queues',
  'streams',
  'exchanges',
];

const APPLIES: Readonly<Record<ApplyTo, readonly PolicySubject[]>> = {
  all: ['classic_queue', 'quorum_queue', 'stream', 'exchange'],
  queues: ['classic_queue', 'quorum_queue', 'stream'],
  classic_queues: ['classic_queue'],
  quorum_queues: ['quorum_queue'],
  streams: ['stream'],
  exchanges: ['exchange'],
};

const NONE: EffectivePolicy = Object.freeze({
  policy: null,
  operatorPolicy: null,
  definition: Object.freeze({}),
});

interface CompiledPolicy {
  readonly policy: Policy;
  readonly pattern: Pattern;
}

/** Where the policies of one kind are, and those of a namespace in the order in which they are tried. */
interface PolicyTable {
  readonly records: RecordTable<Policy>;
  readonly ordered: Map<string, readonly CompiledPolicy[]>;
}

/** The policies and operator policies of a broker. */
export class PolicyStore {
  private readonly records: Records;
  private readonly logger: Logger;
  private readonly hasNamespace: (name: string) => boolean;
  private readonly tables: Readonly<Record<PolicyKind, PolicyTable>>;
  private changes = 1;

  constructor(options: {
    readonly records: Records;
    readonly logger: Logger;
    readonly hasNamespace: (name: string) => boolean;
    /** Told after each change: what is effective in the namespace may differ now. */
    readonly onChange: (namespace: string) => void;
  }) {
    const { records, logger, hasNamespace, onChange } = options;
    this.records = records;
    this.logger = logger;
    this.hasNamespace = hasNamespace;
    const tableOf = (name: string): PolicyTable => {
      const ordered = new Map<string, readonly CompiledPolicy[]>();
      const table = records.table<Policy>({
        name,
        decode: decodePolicy,
        onChange: ([namespace = '']) => {
          ordered.delete(namespace);
          this.changes++;
          onChange(namespace);
        },
      });
      return { records: table, ordered };
    };
    this.tables = {
      policy: tableOf('policies'),
      'operator-policy': tableOf('operator-policies'),
    };
  }

  /** Counts up with every change: what is effective may be kept until it differs. */
  get revision(): number {
    return this.changes;
  }

  get(kind: PolicyKind, namespace: string, name: string): Policy | null {
    return this.tables[kind].records.get(namespace, name);
  }

  /** namespace null: of all. */
  list(kind: PolicyKind, namespace: string | null = null): readonly Policy[] {
    const { records } = this.tables[kind];
    return namespace === null ? records.list() : records.listUnder(namespace);
  }

  async set(kind: PolicyKind, policy: Policy): Promise<ChangeOutcome> {
    const defect = findDefect(kind, policy);
    if (defect !== null) return invalid(defect);
    const { namespace, name, pattern, applyTo, priority, definition } = policy;
    if (!this.hasNamespace(namespace)) return { status: 'unknown', what: 'namespace' };
    const record: Policy = { namespace, name, pattern, applyTo, priority, definition };
    const { records } = this.tables[kind];
    const outcome = await this.records.transact((transaction) => {
      const known = transaction.get(records, namespace, name);
      transaction.put(records, [namespace, name], record);
      return known === null ? CREATED : CHANGED;
    });
    for (const [key, reason] of listIneffectiveKeys(definition)) {
      this.logger.info('policy.key-ineffective', 'a key of a policy does nothing here', {
        namespace,
        policy: name,
        key,
        reason,
      });
    }
    return outcome;
  }

  async delete(kind: PolicyKind, namespace: string, name: string): Promise<ChangeOutcome> {
    const { records } = this.tables[kind];
    return this.records.transact((transaction): ChangeOutcome => {
      if (transaction.get(records, namespace, name) === null) {
        return { status: 'unknown', what: 'record' };
      }
      transaction.delete(records, [namespace, name]);
      return CHANGED;
    });
  }

  /** Part of a larger change. */
  removeAll(transaction: RecordTransaction, namespace: string): void {
    for (const { records } of Object.values(this.tables)) {
      for (const { name } of records.listUnder(namespace)) {
        transaction.delete(records, [namespace, name]);
      }
    }
  }

  /** The policies in force for a queue or an exchange with this name. */
  match(subject: PolicySubject, namespace: string, name: string): MatchedPolicies {
    return {
      policy: this.best('policy', subject, namespace, name),
      operatorPolicy: this.best('operator-policy', subject, namespace, name),
    };
  }

  /** What they come to. */
  effective(subject: PolicySubject, namespace: string, name: string): EffectivePolicy {
    const { policy, operatorPolicy } = this.match(subject, namespace, name);
    if (policy === null && operatorPolicy === null) return NONE;
    return {
      policy: policy?.name ?? null,
      operatorPolicy: operatorPolicy?.name ?? null,
      definition: merge(policy?.definition ?? {}, operatorPolicy?.definition ?? {}),
    };
  }

  private best(
    kind: PolicyKind,
    subject: PolicySubject,
    namespace: string,
    name: string,
  ): Policy | null {
    for (const { policy, pattern } of this.ordered(kind, namespace)) {
      const isFor = APPLIES[policy.applyTo].includes(subject);
      if (isFor && fitsSubject(policy.definition, subject) && pattern.matches(name)) return policy;
    }
    return null;
  }

  /** Highest priority first; of equal ones the first by name. */
  private ordered(kind: PolicyKind, namespace: string): readonly CompiledPolicy[] {
    const { records, ordered } = this.tables[kind];
    const known = ordered.get(namespace);
    if (known !== undefined) return known;
    const compiled = [...records.listUnder(namespace)]
      .sort((a, b) => b.priority - a.priority)
      .flatMap((policy) => {
        const pattern = Pattern.compile(policy.pattern);
        return pattern instanceof Pattern ? [{ policy, pattern }] : [];
      });
    // Names are a client's to choose: nothing is kept for namespaces without policies.
    if (compiled.length > 0) ordered.set(namespace, compiled);
    return compiled;
  }
}

function findDefect(kind: PolicyKind, policy: Policy): string | null {
  const defect = findNameDefect('policy', policy.name);
  if (defect !== null) return defect;
  const pattern = findPatternDefect(policy.pattern);
  if (pattern !== null) return `pattern should be regular expression: ${pattern}`;
  if (!Number.isSafeInteger(policy.priority)) return 'priority should be a number';
  if (!APPLY_TO.includes(policy.applyTo)) {
    return `apply-to '${policy.applyTo}' unrecognised; should be one of: ${APPLY_TO.join(', ')}`;
  }
  return findDefinitionDefect(kind, policy.definition);
}

function merge(definition: Arguments, bounds: Arguments): Arguments {
  const merged: Record<string, ArgumentValue> = { ...definition };
  for (const [name, bound] of Object.entries(bounds)) {
    const value = merged[name];
    const isSmaller = typeof value === 'number' && typeof bound === 'number' && value < bound;
    if (!isSmaller) merged[name] = bound;
  }
  return Object.freeze(merged);
}

function decodePolicy(value: unknown, [namespace = '', name = '']: readonly string[]): Policy {
  const fields = new RecordReader(value);
  const applyTo = APPLY_TO.find((known) => known === fields.text('applyTo'));
  if (applyTo === undefined) throw new TypeError('applyTo: not known');
  const definition = fields.value('definition');
  if (typeof definition !== 'object' || definition === null) {
    throw new TypeError('definition: an object expected');
  }
  return Object.freeze({
    namespace,
    name,
    pattern: fields.text('pattern'),
    applyTo,
    priority: fields.number('priority'),
    definition: Object.freeze(definition) as Arguments,
  });
}
