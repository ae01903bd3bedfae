import { groupOffsets } from '../../admin/group-views.ts';
import { LyrebirdError } from '../../base/errors.ts';
import type { Broker } from '../../core/broker.ts';
import { NAMESPACE } from './topics.ts';
import { waitUntil, type WaitOptions } from './wait.ts';

/** Consumer groups of an embedded broker. */
export class EmbeddedGroups {
  private readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
  }

  list(): string[] {
    return this.broker.groups.list(NAMESPACE).map(({ groupId }) => groupId);
  }

  /** 'stable', 'empty', ... or null when there is no such group. */
  state(group: string): string | null {
    return this.broker.groups.describe(NAMESPACE, group)?.state ?? null;
  }

  members(group: string): number {
    return this.broker.groups.describe(NAMESPACE, group)?.members.length ?? 0;
  }

  /**
   * Records between what the group committed and the end of its topics; of one topic when it is named. A partition
   * of a named topic without a commit counts from its beginning.
   */
  lag(group: string, topic?: string): number {
    const committed = groupOffsets(this.broker, NAMESPACE, group);
    if (topic === undefined) return committed.reduce((sum, { lag }) => sum + (lag ?? 0), 0);
    const view = this.broker.topics.byName(NAMESPACE, topic);
    if (view === null) return 0;
    let total = 0;
    for (let i = 0; i < view.partitionCount; i++) {
      const partition = view.partition(i);
      if (partition === null) continue;
      const known = committed.find((c) => c.topic === topic && c.partition === i);
      total += known?.lag ?? partition.highWatermark - partition.logStart;
    }
    return total;
  }

  async delete(group: string): Promise<void> {
    const error = await this.broker.groups.delete(NAMESPACE, group);
    if (error === 'none') return;
    throw new LyrebirdError('LB3004', `group ${group}: ${error}`, { details: { group } });
  }

  /** Resolves when the group has committed everything of the topic (or of all its topics), but for atMost records. */
  async waitForLag(
    group: string,
    options: WaitOptions & { readonly topic?: string; readonly atMost?: number } = {},
  ): Promise<void> {
    const { topic, atMost = 0 } = options;
    await waitUntil(
      () => this.known(group) && this.lag(group, topic) <= atMost,
      () => `group ${group} has a lag of ${this.lag(group, topic)}, more than ${atMost}`,
      options,
    );
  }

  /** Resolves when the group has that many members (default: any) and no rebalance is under way. */
  async waitForMembers(
    group: string,
    options: WaitOptions & { readonly count?: number } = {},
  ): Promise<void> {
    const { count } = options;
    await waitUntil(
      () => {
        const members = this.members(group);
        const enough = count === undefined ? members > 0 : members === count;
        return enough && (this.state(group) === 'stable' || count === 0);
      },
      () =>
        `group ${group} is ${this.state(group) ?? 'unknown'} with ${this.members(group)} members`,
      options,
    );
  }

  private known(group: string): boolean {
    return this.broker.groups.committedOffsets(NAMESPACE, group).length > 0;
  }
}
