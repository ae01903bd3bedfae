import type { Call } from '../call.ts';
import { notFound } from '../http-error.ts';
import { listing, single } from '../listing.ts';
import { json } from '../reply.ts';
import type { Route } from '../route.ts';
import { memoryBreakdown, nodeRow } from '../views/node-view.ts';

export const NODE_ROUTES: readonly Route[] = [
  {
    path: '/nodes',
    role: 'monitoring',
    GET: (call) =>
      listing(call, [call.management], {
        name: ({ nodeName }) => nodeName,
        render: nodeRow,
      }),
  },
  {
    path: '/nodes/:node',
    role: 'monitoring',
    GET: (call) => {
      known(call);
      const row = nodeRow(call.management);
      const memory = call.isTrue('memory') ? { memory: memoryBreakdown(call.management) } : {};
      return single(call, { ...row, ...memory });
    },
  },
  {
    path: '/nodes/:node/memory',
    role: 'monitoring',
    GET: (call) => {
      known(call);
      return json({ memory: memoryBreakdown(call.management) });
    },
  },
  {
    path: '/nodes/:node/memory/ets',
    role: 'monitoring',
    // There are no such tables.
    GET: (call) => {
      known(call);
      return json({ ets_tables_memory: 'no_ets_tables' });
    },
  },
  { path: '/nodes/:node/plugins', role: 'monitoring', GET: () => json([]) },
];

function known(call: Call): void {
  if (call.param('node') !== call.management.nodeName) throw notFound();
}
