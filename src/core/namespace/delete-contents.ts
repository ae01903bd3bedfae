import { LyrebirdError } from '../../base/errors.ts';

/** Deletions under way at once: they share commits. */
const TOGETHER_MAX = 256;

/** Deletes what a namespace has of one kind; rejects when one cannot be deleted. Gone already is as good. */
export async function deleteContents(
  kind: string,
  names: readonly string[],
  deleteOne: (name: string) => Promise<{ readonly status: string }>,
): Promise<void> {
  for (let start = 0; start < names.length; start += TOGETHER_MAX) {
    const batch = names.slice(start, start + TOGETHER_MAX);
    const outcomes = await Promise.all(batch.map(deleteOne));
    const failed = outcomes.findIndex(({ status }) => status !== 'ok' && status !== 'unknown');
    if (failed >= 0) {
      throw new LyrebirdError('LB3002', `the ${kind} '${batch[failed]}' could not be deleted`, {
        details: { status: outcomes[failed]?.status },
      });
    }
  }
}
