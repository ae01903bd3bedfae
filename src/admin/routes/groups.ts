import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { demand, namespaceOf } from '../access.ts';
import type { DeleteOffsetsBody, DeleteOffsetsResult } from '../api.ts';
import { ApiError, expectNoGroupError, groupErrorText } from '../api-error.ts';
import { seekGroup } from '../group-seek.ts';
import { groupDetail, groupOffsets, groupSummary } from '../group-views.ts';
import type { AdminPorts } from '../ports.ts';
import { nameSchema, partitionsSchema, readBody } from '../validate.ts';

const instant = z.union([
  z.number().min(0),
  z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'expected an ISO 8601 instant'),
]);
const seekSchema = z.strictObject({
  target: z.union([
    z.strictObject({ to: z.enum(['earliest', 'latest']) }),
    z.strictObject({ offset: z.int().min(0) }),
    z.strictObject({ shift: z.int() }),
    z.strictObject({ time: instant }),
    z.strictObject({ group: z.string().min(1) }),
  ]),
  topics: z
    .array(
      z
        .strictObject({ topic: nameSchema, partitions: partitionsSchema.optional() })
        .transform(({ topic, partitions }) =>
          partitions === undefined ? { topic } : { topic, partitions },
        ),
    )
    .max(10_000)
    .optional(),
  dryRun: z.boolean().optional(),
});
const deleteOffsetsSchema = z.strictObject({
  topic: nameSchema,
  partitions: partitionsSchema.optional(),
});

/** `/groups`: who consumes what, and how far. */
export function groupRoutes(ports: AdminPorts): Hono {
  const app = new Hono();
  const { broker } = ports;

  app.get('/', (context) => {
    demand(ports, context, { operation: 'describe', resource: 'cluster', name: 'lyrebird' });
    const namespace = namespaceOf(context);
    const groups = broker.groups.list(namespace);
    return context.json({ groups: groups.map((group) => groupSummary(broker, namespace, group)) });
  });

  app.get('/:group', (context) => {
    const { namespace, group } = scopeOf(ports, context, 'describe');
    const view = broker.groups.describe(namespace, group);
    if (view === null) throw new ApiError('not-found', `there is no group ${group}`);
    return context.json(groupDetail(broker, namespace, view));
  });

  app.delete('/:group', async (context) => {
    const { namespace, group } = scopeOf(ports, context, 'delete');
    expectNoGroupError(await broker.groups.delete(namespace, group), group);
    return context.body(null, 204);
  });

  app.post('/:group/offsets', async (context) => {
    const scope = scopeOf(ports, context, 'read');
    const { target, topics, dryRun } = await readBody(context, seekSchema);
    const body = {
      target,
      ...(topics === undefined ? {} : { topics }),
      ...(dryRun === undefined ? {} : { dryRun }),
    };
    return context.json(await seekGroup(broker, scope, body));
  });

  app.delete('/:group/offsets', async (context) => {
    const { namespace, group } = scopeOf(ports, context, 'delete');
    const { topic, partitions }: DeleteOffsetsBody = await readBody(context, deleteOffsetsSchema);
    const committed = groupOffsets(broker, namespace, group).filter((o) => o.topic === topic);
    const chosen = partitions ?? committed.map(({ partition }) => partition);
    const places = chosen.map((partition) => ({ topic, partition }));
    const { error, perPartition } = await broker.groups.deleteOffsets(namespace, group, places);
    expectNoGroupError(error, group);
    return context.json({
      partitions: chosen.map((partition, index) => {
        const problem = perPartition[index] ?? 'none';
        return { partition, error: problem === 'none' ? null : groupErrorText(problem, group) };
      }),
    } satisfies DeleteOffsetsResult);
  });

  return app;
}

function scopeOf(
  ports: AdminPorts,
  context: Context,
  operation: 'describe' | 'delete' | 'read',
): { namespace: string; group: string } {
  const group = context.req.param('group') ?? '';
  demand(ports, context, { operation, resource: 'group', name: group });
  return { namespace: namespaceOf(context), group };
}
