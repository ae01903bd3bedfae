import type { Clients } from './clients.ts';
import { appendAtomically, appendNote, appendShared, appendSome, trim } from './data-actions.ts';
import { alterLog, changeKeys, createLogs, deleteLog, useLease } from './meta-actions.ts';
import { checkRandomRead, checkTimes } from './read-checks.ts';

interface Action {
  readonly weight: number;
  readonly run: (clients: Clients) => void;
}

const ACTIONS: readonly Action[] = [
  { weight: 30, run: (w) => appendSome(w, 1) },
  { weight: 12, run: (w) => appendSome(w, 2 + w.world.below(12)) },
  { weight: 8, run: appendShared },
  { weight: 6, run: appendAtomically },
  { weight: 10, run: appendNote },
  { weight: 5, run: trim },
  { weight: 8, run: changeKeys },
  { weight: 4, run: createLogs },
  { weight: 2, run: deleteLog },
  { weight: 2, run: alterLog },
  { weight: 2, run: useLease },
  { weight: 14, run: checkRandomRead },
  { weight: 3, run: checkTimes },
];
const TOTAL_WEIGHT = ACTIONS.reduce((sum, action) => sum + action.weight, 0);

/** Does one random thing. */
export function act(clients: Clients): void {
  if (clients.usable().length < 2) return createLogs(clients);
  let left = clients.world.below(TOTAL_WEIGHT);
  for (const action of ACTIONS) {
    left -= action.weight;
    if (left < 0) return action.run(clients);
  }
}
