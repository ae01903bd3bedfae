import { Hono, type Context } from 'hono';
import { z } from 'zod';
import type { NewTopic, TopicConfig, TopicView } from '../../core/types.ts';
import { demand, namespaceOf } from '../access.ts';
import type { AddPartitionsBody, TopicDetail, TrimBody, TrimResult } from '../api.ts';
import { ApiError, topicOf } from '../api-error.ts';
import type { AdminPorts } from '../ports.ts';
import { topicDetail, topicSummary } from '../topic-views.ts';
import { nameSchema, partitionsSchema, readBody, settingsSchema } from '../validate.ts';

const createSchema = z.strictObject({
  name: nameSchema,
  partitions: z.int().min(1).optional(),
  config: settingsSchema.optional(),
  dryRun: z.boolean().optional(),
});
const addPartitionsSchema = z.strictObject({ total: z.int().min(1) });
const trimSchema = z.strictObject({
  partitions: partitionsSchema.optional(),
  before: z.union([z.int().min(0), z.literal('latest')]),
});
const alterSchema = z.strictObject({
  set: settingsSchema.optional(),
  unset: z.array(z.string()).max(1000).optional(),
  dryRun: z.boolean().optional(),
});

/** `/topics`: what there is, and changing it. */
export function topicRoutes(ports: AdminPorts): Hono {
  const app = new Hono();
  const { topics } = ports.broker;

  app.get('/', (context) => {
    demand(ports, context, { operation: 'describe', resource: 'cluster', name: 'lyrebird' });
    return context.json({ topics: topics.list(namespaceOf(context)).map(topicSummary) });
  });

  app.post('/', async (context) => {
    const body = await readBody(context, createSchema);
    demand(ports, context, { operation: 'create', resource: 'topic', name: body.name });
    const overrides = body.config ?? {};
    const topic: NewTopic = {
      namespace: namespaceOf(context),
      name: body.name,
      partitions: partitionCount(ports, body.partitions),
      config: resolve(ports, overrides),
      overrides,
    };
    if (body.dryRun === true) return context.json(tryCreate(ports, topic));
    return context.json(topicDetail(topicOf(await topics.create(topic), body.name)), 201);
  });

  app.get('/:topic', (context) => context.json(topicDetail(find(ports, context, 'describe'))));

  app.delete('/:topic', async (context) => {
    const { namespace, name } = find(ports, context, 'delete');
    topicOf(await topics.delete(namespace, name), name);
    return context.body(null, 204);
  });

  app.post('/:topic/partitions', async (context) => {
    const { namespace, name } = find(ports, context, 'alter');
    const { total }: AddPartitionsBody = await readBody(context, addPartitionsSchema);
    partitionCount(ports, total);
    const outcome = await topics.setPartitionCount(namespace, name, total);
    return context.json(topicDetail(topicOf(outcome, name)));
  });

  app.post('/:topic/trim', async (context) => {
    const topic = find(ports, context, 'delete');
    const { partitions, before }: TrimBody = await readBody(context, trimSchema);
    const chosen = partitions ?? Array.from({ length: topic.partitionCount }, (_, i) => i);
    const offset = before === 'latest' ? -1 : before;
    return context.json({
      partitions: await Promise.all(chosen.map((index) => trim(topic, index, offset))),
    } satisfies TrimResult);
  });

  app.get('/:topic/config', (context) => {
    const topic = find(ports, context, 'describe-configs');
    return context.json({ config: ports.topicSettings.describe(topic.overrides) });
  });

  app.patch('/:topic/config', async (context) => {
    const { namespace, name, overrides } = find(ports, context, 'alter-configs');
    const { set = {}, unset = [], dryRun } = await readBody(context, alterSchema);
    const removed = new Set(unset);
    const kept = Object.entries(overrides).filter(([key]) => !removed.has(key));
    const changed = { ...Object.fromEntries(kept), ...set };
    const config = resolve(ports, changed);
    if (dryRun !== true) {
      topicOf(await topics.alterConfig(namespace, name, config, changed), name);
    }
    return context.json({ config: ports.topicSettings.describe(changed) });
  });

  return app;
}

/** The topic that the path names. */
function find(
  ports: AdminPorts,
  context: Context,
  operation: 'describe' | 'delete' | 'alter' | 'describe-configs' | 'alter-configs',
): TopicView {
  const name = context.req.param('topic') ?? '';
  demand(ports, context, { operation, resource: 'topic', name });
  const topic = ports.broker.topics.byName(namespaceOf(context), name);
  if (topic === null) throw new ApiError('not-found', `there is no topic ${name}`);
  return topic;
}

function partitionCount({ topicSettings }: AdminPorts, asked: number | undefined): number {
  const count = asked ?? topicSettings.defaultPartitions;
  if (count > topicSettings.maxPartitions) {
    throw new ApiError('limit', `${count} partitions are above ${topicSettings.maxPartitions}`);
  }
  return count;
}

function resolve(ports: AdminPorts, overrides: Readonly<Record<string, string>>): TopicConfig {
  const config = ports.topicSettings.resolve(overrides);
  if ('invalid' in config) throw new ApiError('invalid-request', config.invalid);
  return config;
}

/** What create would answer; the topic has no id yet. */
function tryCreate({ broker }: AdminPorts, topic: NewTopic): TopicDetail {
  const status = broker.topics.check(topic);
  if (status === 'exists') topicOf({ status }, topic.name);
  if (status !== null && status !== 'ok') {
    throw new ApiError('invalid-request', `topic ${topic.name} cannot be created: ${status}`);
  }
  return {
    name: topic.name,
    id: '',
    namespace: topic.namespace,
    partitions: topic.partitions,
    internal: false,
    records: 0,
    bytes: 0,
    partitionList: [],
    overrides: topic.overrides,
  };
}

async function trim(
  topic: TopicView,
  index: number,
  offset: number,
): Promise<TrimResult['partitions'][number]> {
  const partition = topic.partition(index);
  if (partition === null) {
    return { partition: index, logStart: null, error: 'there is no such partition' };
  }
  const result = await partition.deleteRecordsBefore(offset);
  return result === 'out-of-range'
    ? { partition: index, logStart: partition.logStart, error: 'the offset is outside the log' }
    : { partition: index, logStart: result, error: null };
}
