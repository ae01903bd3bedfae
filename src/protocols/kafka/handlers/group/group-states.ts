import type { GroupState } from '../../../../core/group-types.ts';

/** What this kind of group is called since there are others (KIP-848). */
export const CLASSIC_TYPE = 'classic';

/** The states as Kafka spells them. */
export const STATE_NAMES: Readonly<Record<GroupState, string>> = {
  empty: 'Empty',
  'preparing-rebalance': 'PreparingRebalance',
  'completing-rebalance': 'CompletingRebalance',
  stable: 'Stable',
  dead: 'Dead',
};
