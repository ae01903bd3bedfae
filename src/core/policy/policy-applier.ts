import type { Clock } from '../../base/clock.ts';
import type { Arguments, QueueView } from '../queue-types.ts';
import type { PolicyStore } from './policy-store.ts';
import type { MatchedPolicies, Policy, PolicySubject } from './policy-types.ts';

/** Queues looked at in one turn of the event loop. */
const QUEUES_PER_TURN = 1_000;

/** The queues that policies are applied to. */
export interface PolicyTarget {
  list(namespace: string): readonly QueueView[];
  applyPolicies(queue: QueueView, policies: MatchedPolicies): void;
}

/**
 * Applies policies anew after they changed: to the first queues of the namespace at once, to the others in later turns,
 * so that many queues do not hold everybody up.
 */
export class PolicyApplier {
  private readonly policies: PolicyStore;
  private readonly target: PolicyTarget;
  private readonly clock: Clock;
  /** What is left to do, by namespace. */
  private readonly pending = new Map<string, { queues: readonly QueueView[]; next: number }>();
  private closed = false;

  constructor(options: {
    readonly policies: PolicyStore;
    readonly target: PolicyTarget;
    readonly clock: Clock;
  }) {
    this.policies = options.policies;
    this.target = options.target;
    this.clock = options.clock;
  }

  /** Policies of the namespace changed. */
  changed(namespace: string): void {
    const isUnderWay = this.pending.has(namespace);
    this.pending.set(namespace, { queues: this.target.list(namespace), next: 0 });
    if (!isUnderWay) this.work(namespace);
  }

  close(): void {
    this.closed = true;
    this.pending.clear();
  }

  private work(namespace: string): void {
    const job = this.pending.get(namespace);
    if (job === undefined || this.closed) return;
    const end = Math.min(job.queues.length, job.next + QUEUES_PER_TURN);
    for (; job.next < end; job.next++) {
      const queue = job.queues[job.next];
      if (queue !== undefined) this.apply(queue);
    }
    if (end === job.queues.length) this.pending.delete(namespace);
    else this.clock.defer(() => this.work(namespace));
  }

  private apply(queue: QueueView): void {
    if (queue.gone) return;
    const matched = queuePolicies(this.policies, queue);
    const hadNone = queue.policy === null && queue.operatorPolicy === null;
    if (hadNone && matched.policy === null && matched.operatorPolicy === null) return;
    this.target.applyPolicies(queue, matched);
  }
}

/** The policies in force for a queue, named as core names settings. */
export function queuePolicies(
  policies: PolicyStore,
  queue: Pick<QueueView, 'namespace' | 'name' | 'arguments'>,
): MatchedPolicies {
  const subject = subjectOf(queue.arguments);
  const { policy, operatorPolicy } = policies.match(subject, queue.namespace, queue.name);
  return { policy: policy === null ? null : withCoreNames(policy), operatorPolicy };
}

/** RabbitMQ's names of what core calls otherwise. */
const ALIASES: Readonly<Record<string, string>> = {
  'delayed-retry-min': 'retry-delay-min',
  'delayed-retry-max': 'retry-delay-max',
};

function withCoreNames(policy: Policy): Policy {
  const names = Object.keys(policy.definition);
  if (!names.some((name) => Object.hasOwn(ALIASES, name))) return policy;
  const definition = Object.fromEntries(
    Object.entries(policy.definition).map(([name, value]) => [ALIASES[name] ?? name, value]),
  );
  return { ...policy, definition };
}

/** What a queue with these arguments is to policies. */
function subjectOf({ 'queue-type': type }: Arguments): PolicySubject {
  if (type === 'quorum') return 'quorum_queue';
  return type === 'stream' ? 'stream' : 'classic_queue';
}
