import type { Arguments, ArgumentValue, QueueSettings } from '../queue-types.ts';

export const DEFAULT_QUEUE_SETTINGS: QueueSettings = Object.freeze({
  messageTtlMs: Infinity,
  expiresMs: Infinity,
  maxLength: Infinity,
  maxBytes: Infinity,
  overflow: 'drop-head',
  deadLetterExchange: null,
  deadLetterRoutingKey: null,
  maxPriority: 0,
  deliveryLimit: Infinity,
  singleActiveConsumer: false,
  retryDelayMinMs: 0,
  retryDelayMaxMs: 0,
  deduplicationWindowMs: 0,
});

type MutableSettings = { -readonly [Key in keyof QueueSettings]: QueueSettings[Key] };

/** Longest time that may be asked for: ten years and a bit, as times that queues keep must stay exact. */
const TIME_MAX_MS = 315_360_000_000;
const PRIORITY_MAX = 255;

interface SettingDefinition {
  readonly name: string;
  /** Sets the value in settings, or says what is wrong with it. */
  readonly apply: (settings: MutableSettings, value: ArgumentValue) => string | null;
  /** May be set by a policy, after the queue was made. */
  readonly policy: boolean;
  /** An operator's policy may bound it: the lower value wins. */
  readonly operator: boolean;
}

/** What may be set of a queue, by the names that arguments (without a protocol's prefix) and policies use. */
export const QUEUE_SETTINGS: readonly SettingDefinition[] = [
  number('expires', 'expiresMs', { min: 1, max: TIME_MAX_MS, policy: true, operator: true }),
  number('message-ttl', 'messageTtlMs', { min: 0, max: TIME_MAX_MS, policy: true, operator: true }),
  number('max-length', 'maxLength', { min: 0, policy: true, operator: true }),
  number('max-length-bytes', 'maxBytes', { min: 0, policy: true, operator: true }),
  {
    name: 'overflow',
    policy: true,
    operator: true,
    apply(settings, value) {
      if (value !== 'drop-head' && value !== 'reject-publish' && value !== 'reject-publish-dlx') {
        return `one of drop-head, reject-publish, reject-publish-dlx expected, not ${show(value)}`;
      }
      settings.overflow = value;
      return null;
    },
  },
  text('dead-letter-exchange', 'deadLetterExchange'),
  text('dead-letter-routing-key', 'deadLetterRoutingKey'),
  number('max-priority', 'maxPriority', {
    min: 0,
    max: PRIORITY_MAX,
    policy: false,
    operator: false,
  }),
  {
    name: 'delivery-limit',
    policy: true,
    operator: true,
    apply(settings, value) {
      if (!isInteger(value) || value < -1)
        return `an integer of -1 (none) or more expected, not ${show(value)}`;
      settings.deliveryLimit = value === -1 ? Infinity : value;
      return null;
    },
  },
  {
    name: 'single-active-consumer',
    policy: false,
    operator: false,
    apply(settings, value) {
      if (typeof value !== 'boolean') return `true or false expected, not ${show(value)}`;
      settings.singleActiveConsumer = value;
      return null;
    },
  },
  number('retry-delay-min', 'retryDelayMinMs', {
    min: 0,
    max: TIME_MAX_MS,
    policy: true,
    operator: false,
  }),
  number('retry-delay-max', 'retryDelayMaxMs', {
    min: 0,
    max: TIME_MAX_MS,
    policy: true,
    operator: false,
  }),
  number('deduplication-window', 'deduplicationWindowMs', {
    min: 0,
    max: 86_400_000,
    policy: true,
    operator: false,
  }),
];

/** Arguments that a declaration must repeat. What nobody here understands may differ. */
const COMPARED: readonly string[] = ['queue-type', ...QUEUE_SETTINGS.map(({ name }) => name)];

/** Said by an argument and a policy, the lower value holds. */
const BOUNDED_BOTH_WAYS = new Set([
  'expires',
  'message-ttl',
  'max-length',
  'max-length-bytes',
  'delivery-limit',
]);

const BY_NAME = new Map(QUEUE_SETTINGS.map((setting) => [setting.name, setting]));

export interface SettingProblem {
  readonly argument: string;
  readonly message: string;
}

/** What is wrong with arguments, or null. Names that are not in the table are no business of the core. */
export function findArgumentProblem(args: Arguments): SettingProblem | null {
  const settings = { ...DEFAULT_QUEUE_SETTINGS };
  for (const [argument, value] of Object.entries(args)) {
    const message = BY_NAME.get(argument)?.apply(settings, value) ?? null;
    if (message !== null) return { argument, message };
  }
  if (settings.deadLetterRoutingKey !== null && settings.deadLetterExchange === null) {
    const message = 'dead-letter-routing-key needs dead-letter-exchange';
    return { argument: 'dead-letter-routing-key', message };
  }
  return null;
}

/**
 * A queue's settings: a policy first, arguments over it (of limits and times the lower value wins), and an operator's policy
 * bounds both. Values are valid; those that are not have no effect.
 */
export function mergeSettings(
  args: Arguments,
  policy: Arguments = {},
  operatorPolicy: Arguments = {},
): QueueSettings {
  const settings: MutableSettings = { ...DEFAULT_QUEUE_SETTINGS };
  for (const [name, value] of Object.entries(policy)) {
    const setting = BY_NAME.get(name);
    if (setting?.policy === true) setting.apply(settings, value);
  }
  for (const [name, value] of Object.entries(args)) {
    if (BOUNDED_BOTH_WAYS.has(name)) bound(settings, name, value);
    else BY_NAME.get(name)?.apply(settings, value);
  }
  for (const [name, value] of Object.entries(operatorPolicy)) bound(settings, name, value);
  if (settings.retryDelayMaxMs < settings.retryDelayMinMs) {
    settings.retryDelayMaxMs = settings.retryDelayMinMs;
  }
  return settings;
}

function bound(settings: MutableSettings, name: string, value: ArgumentValue): void {
  const setting = BY_NAME.get(name);
  if (setting?.operator !== true) return;
  const wanted: MutableSettings = { ...settings };
  if (setting.apply(wanted, value) !== null) return;
  settings.messageTtlMs = Math.min(settings.messageTtlMs, wanted.messageTtlMs);
  settings.expiresMs = Math.min(settings.expiresMs, wanted.expiresMs);
  settings.maxLength = Math.min(settings.maxLength, wanted.maxLength);
  settings.maxBytes = Math.min(settings.maxBytes, wanted.maxBytes);
  settings.deliveryLimit = Math.min(settings.deliveryLimit, wanted.deliveryLimit);
  if (name === 'overflow') settings.overflow = wanted.overflow;
}

/** The first argument in which two declarations of a queue differ, or null. */
export function findDifference(
  received: Arguments,
  current: Arguments,
): { readonly property: string; readonly received: string; readonly current: string } | null {
  for (const name of COMPARED) {
    const ours = current[name];
    const theirs = received[name];
    if (sameValue(ours, theirs)) continue;
    return { property: name, received: textOf(theirs), current: textOf(ours) };
  }
  return null;
}

function sameValue(a: ArgumentValue | undefined, b: ArgumentValue | undefined): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

function textOf(value: ArgumentValue | undefined): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function show(value: ArgumentValue): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}

function isInteger(value: ArgumentValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function number(
  name: string,
  key: {
    [K in keyof QueueSettings]: QueueSettings[K] extends number ? K : never;
  }[keyof QueueSettings],
  options: { min: number; max?: number; policy: boolean; operator: boolean },
): SettingDefinition {
  const { min, max = Number.MAX_SAFE_INTEGER, policy, operator } = options;
  return {
    name,
    policy,
    operator,
    apply(settings, value) {
      if (!isInteger(value)) return `an integer expected, not ${show(value)}`;
      if (value < min) return `${value} is less than ${min}`;
      if (value > max) return `${value} is more than ${max}`;
      settings[key] = value;
      return null;
    },
  };
}

function text(name: string, key: 'deadLetterExchange' | 'deadLetterRoutingKey'): SettingDefinition {
  return {
    name,
    policy: true,
    operator: false,
    apply(settings, value) {
      if (typeof value !== 'string') return `a text expected, not ${show(value)}`;
      settings[key] = value;
      return null;
    },
  };
}
