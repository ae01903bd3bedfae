/** One partition's replicas as an administrator placed them. */
interface Assignment {
  readonly partitionIndex: number;
  readonly brokerIds: readonly number[];
}

/** Why partitions cannot be placed as asked, in words; null when they can: one replica each, on this broker. */
export function findAssignmentDefect(
  assignments: readonly Assignment[],
  nodeId: number,
): string | null {
  const indexes = assignments.map((assignment) => assignment.partitionIndex).sort((a, b) => a - b);
  if (indexes.some((index, place) => index !== place)) {
    return 'The partitions of a manual assignment must be numbered from 0 without gaps.';
  }
  for (const assignment of assignments) {
    const defect = findReplicasDefect(assignment.brokerIds, nodeId);
    if (defect !== null) return defect;
  }
  return null;
}

export function findReplicasDefect(brokerIds: readonly number[], nodeId: number): string | null {
  if (brokerIds.length === 0)
    return 'The manual partition assignment includes an empty replica list.';
  for (const id of brokerIds) {
    if (id !== nodeId) {
      return `The manual partition assignment includes broker ${id}, but no such broker is registered.`;
    }
  }
  if (brokerIds.length > 1) {
    return `The manual partition assignment includes the broker ${nodeId} more than once.`;
  }
  return null;
}
