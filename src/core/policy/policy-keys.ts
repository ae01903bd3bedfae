import type { ArgumentValue, Arguments } from '../queue-types.ts';
import { erlangTerm } from './erlang-term.ts';
import type { PolicyKind, PolicySubject } from './policy-types.ts';

interface PolicyKey {
  isValid(value: ArgumentValue): boolean;
  /** Ends the sentence "<value> is not a valid ...". */
  readonly noun: string;
  /** Operators may set it too. */
  readonly byOperators?: true;
  /** Why it does nothing here; absent: it does what its name says. */
  readonly ineffective?: string;
}

const REPLICAS = 'queues are not replicated by policies';
const MEMORY = "what is kept in memory is the broker's own choice";
const STREAMS = 'streams take it from their arguments';
const TIMEOUTS = 'consumers may take as long as they like';
const FEDERATION = 'there is no federation and no sharding';
const PLACEMENT = 'queues are placed by the cluster, not by policies';

const isText = (value: ArgumentValue): boolean => typeof value === 'string';
const isInteger = (value: ArgumentValue, min: number): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min;
const isCount = (value: ArgumentValue): boolean => isInteger(value, 0);
const isAnything = (): boolean => true;
const oneOf =
  (...allowed: readonly ArgumentValue[]) =>
  (value: ArgumentValue): boolean =>
    allowed.includes(value);
const isAge = (value: ArgumentValue): boolean =>
  typeof value === 'string' && /^\d+[YMDhms]$/.test(value);

/** Every key that RabbitMQ 3.8 to 4.3 and its plugins know. */
const POLICY_KEYS = new Map<string, PolicyKey>(
  Object.entries<PolicyKey>({
    'alternate-exchange': { isValid: isText, noun: 'alternate exchange name' },
    'dead-letter-exchange': { isValid: isText, noun: 'dead letter exchange name' },
    'dead-letter-routing-key': { isValid: isText, noun: 'dead letter routing key' },
    'dead-letter-strategy': {
      isValid: oneOf('at-most-once', 'at-least-once'),
      noun: 'dead letter strategy',
      ineffective: 'dead-lettering never loses a message here',
    },
    'message-ttl': { isValid: isCount, noun: 'message TTL', byOperators: true },
    expires: { isValid: (value) => isInteger(value, 1), noun: 'queue expiry', byOperators: true },
    'max-length': { isValid: isCount, noun: 'maximum length', byOperators: true },
    'max-length-bytes': {
      isValid: isCount,
      noun: 'maximum length in bytes',
      byOperators: true,
    },
    overflow: {
      isValid: oneOf('drop-head', 'reject-publish', 'reject-publish-dlx'),
      noun: 'overflow value',
      byOperators: true,
    },
    'delivery-limit': {
      isValid: (value) => isInteger(value, -1),
      noun: 'delivery limit',
      byOperators: true,
    },
    'delayed-retry-type': {
      isValid: oneOf('disabled', 'all', 'failed', 'returned'),
      noun: 'delayed retry type',
      ineffective: 'delays count for every message that comes back',
    },
    'delayed-retry-min': { isValid: isCount, noun: 'delayed retry minimum' },
    'delayed-retry-max': { isValid: isCount, noun: 'delayed retry maximum' },
    'retry-delay-min': { isValid: isCount, noun: 'retry delay' },
    'retry-delay-max': { isValid: isCount, noun: 'retry delay' },
    'deduplication-window': { isValid: isCount, noun: 'deduplication window' },
    'max-age': { isValid: isAge, noun: 'max age', ineffective: STREAMS },
    'stream-max-segment-size-bytes': {
      isValid: isCount,
      noun: 'segment size',
      ineffective: STREAMS,
    },
    'max-segment-size': { isValid: isCount, noun: 'segment size', ineffective: STREAMS },
    'stream-filter-size-bytes': {
      isValid: (value) => isInteger(value, 16),
      noun: 'filter size',
      ineffective: 'streams keep no filters of their own',
    },
    'consumer-timeout': {
      isValid: isCount,
      noun: 'consumer timeout',
      ineffective: TIMEOUTS,
    },
    'consumer-disconnected-timeout': {
      isValid: isCount,
      noun: 'consumer disconnected timeout',
      ineffective: TIMEOUTS,
    },
    'queue-version': {
      isValid: oneOf(1, 2),
      noun: 'queue version',
      byOperators: true,
      ineffective: 'there is one way of storing queues',
    },
    'queue-mode': {
      isValid: oneOf('default', 'lazy'),
      noun: 'queue-mode value',
      ineffective: MEMORY,
    },
    'max-in-memory-length': {
      isValid: isCount,
      noun: 'maximum memory in bytes',
      byOperators: true,
      ineffective: MEMORY,
    },
    'max-in-memory-bytes': {
      isValid: isCount,
      noun: 'maximum memory in bytes',
      byOperators: true,
      ineffective: MEMORY,
    },
    'queue-leader-locator': {
      isValid: oneOf('client-local', 'balanced', 'random', 'least-leaders'),
      noun: 'queue leader locator value',
      ineffective: PLACEMENT,
    },
    'queue-master-locator': {
      isValid: oneOf('min-masters', 'client-local', 'random'),
      noun: 'queue master locator',
      ineffective: PLACEMENT,
    },
    'initial-cluster-size': { isValid: isCount, noun: 'cluster size', ineffective: REPLICAS },
    'target-group-size': {
      isValid: isCount,
      noun: 'target group size',
      byOperators: true,
      ineffective: REPLICAS,
    },
    'ha-mode': {
      isValid: oneOf('all', 'exactly', 'nodes'),
      noun: 'ha-mode value',
      byOperators: true,
      ineffective: REPLICAS,
    },
    'ha-params': {
      isValid: isAnything,
      noun: 'ha-params value',
      byOperators: true,
      ineffective: REPLICAS,
    },
    'ha-sync-mode': {
      isValid: oneOf('manual', 'automatic'),
      noun: 'ha-sync-mode value',
      byOperators: true,
      ineffective: REPLICAS,
    },
    'ha-sync-batch-size': { isValid: isCount, noun: 'ha-sync-batch-size', ineffective: REPLICAS },
    'ha-promote-on-shutdown': {
      isValid: oneOf('always', 'when-synced'),
      noun: 'ha-promote-on-shutdown',
      byOperators: true,
      ineffective: REPLICAS,
    },
    'ha-promote-on-failure': {
      isValid: oneOf('always', 'when-synced'),
      noun: 'ha-promote-on-failure',
      byOperators: true,
      ineffective: REPLICAS,
    },
    'federation-upstream': {
      isValid: isText,
      noun: 'federation upstream name',
      ineffective: FEDERATION,
    },
    'federation-upstream-set': {
      isValid: isText,
      noun: 'federation upstream set name',
      ineffective: FEDERATION,
    },
    'federation-upstream-pattern': {
      isValid: isText,
      noun: 'federation upstream pattern',
      ineffective: FEDERATION,
    },
    'sharding-definition': {
      isValid: isAnything,
      noun: 'sharding definition',
      ineffective: FEDERATION,
    },
    'routing-key': { isValid: isText, noun: 'routing key', ineffective: FEDERATION },
    'shards-per-node': { isValid: isCount, noun: 'number of shards', ineffective: FEDERATION },
  }),
);

/** What is wrong with a definition, in RabbitMQ's words, or null. */
export function findDefinitionDefect(kind: PolicyKind, definition: Arguments): string | null {
  const entries = Object.entries(definition);
  if (entries.length === 0) return 'no policy provided';
  const unknown = entries.filter(([name]) => {
    const key = POLICY_KEYS.get(name);
    return key === undefined || (kind === 'operator-policy' && key.byOperators !== true);
  });
  if (unknown.length > 0) {
    const terms = unknown.map(([name, value]) => `{${erlangTerm(name)},${erlangTerm(value)}}`);
    return `[${terms.join(',')}] are not recognised policy settings`;
  }
  for (const [name, value] of entries) {
    const key = POLICY_KEYS.get(name);
    if (key !== undefined && !key.isValid(value)) {
      return `${erlangTerm(value)} is not a valid ${key.noun}`;
    }
  }
  return null;
}

const HA_KEYS = [
  'ha-mode',
  'ha-params',
  'ha-sync-mode',
  'ha-promote-on-shutdown',
  'ha-promote-on-failure',
  'queue-master-locator',
];
const STREAM_KEYS = ['max-age', 'stream-max-segment-size-bytes', 'initial-cluster-size'];
const MEMORY_KEYS = ['max-in-memory-length', 'max-in-memory-bytes'];

/** A policy with one of these keys is passed over for the subject, as if it did not match. */
const UNSUPPORTED: Readonly<Record<PolicySubject, readonly string[]>> = {
  classic_queue: [
    ...STREAM_KEYS,
    ...MEMORY_KEYS,
    'delivery-limit',
    'dead-letter-strategy',
    'target-group-size',
  ],
  quorum_queue: [...STREAM_KEYS, ...HA_KEYS, 'queue-mode'],
  stream: [
    ...HA_KEYS,
    ...MEMORY_KEYS,
    'expires',
    'message-ttl',
    'dead-letter-exchange',
    'dead-letter-routing-key',
    'dead-letter-strategy',
    'max-length',
    'overflow',
    'queue-mode',
    'delivery-limit',
    'target-group-size',
  ],
  exchange: [],
};

/** Whether a definition fits a subject: all of it, or it is not applied at all. */
export function fitsSubject(definition: Arguments, subject: PolicySubject): boolean {
  return !UNSUPPORTED[subject].some((name) => Object.hasOwn(definition, name));
}

/** Keys of a valid definition that do nothing here, each with the reason. */
export function listIneffectiveKeys(definition: Arguments): readonly (readonly [string, string])[] {
  return Object.keys(definition).flatMap((name) => {
    const why = POLICY_KEYS.get(name)?.ineffective;
    return why === undefined ? [] : [[name, why] as const];
  });
}
