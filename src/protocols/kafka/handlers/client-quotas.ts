import type { QuotaEntity, QuotaEntry, QuotaKind } from '../../../core/quota/quota-entity.ts';
import {
  ALTER_CLIENT_QUOTAS,
  readAlterClientQuotasRequest,
  writeAlterClientQuotasResponse,
} from '../codec/generated/alter-client-quotas.ts';
import type {
  AlterClientQuotasRequestEntity,
  AlterClientQuotasRequestEntry,
  AlterClientQuotasResponseEntry,
} from '../codec/generated/alter-client-quotas.ts';
import {
  DESCRIBE_CLIENT_QUOTAS,
  readDescribeClientQuotasRequest,
  writeDescribeClientQuotasResponse,
} from '../codec/generated/describe-client-quotas.ts';
import type {
  DescribeClientQuotasRequest,
  DescribeClientQuotasRequestComponent,
  DescribeClientQuotasResponseEntry,
} from '../codec/generated/describe-client-quotas.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Kafka's names of rates, and how many of core's units one of theirs is. */
const RATES: readonly { readonly key: string; readonly kind: QuotaKind; readonly scale: number }[] =
  [
    { key: 'producer_byte_rate', kind: 'publish-bytes', scale: 1 },
    { key: 'consumer_byte_rate', kind: 'fetch-bytes', scale: 1 },
    // Percent of one thread's time; core counts ms per second.
    { key: 'request_percentage', kind: 'request-ms', scale: 10 },
    { key: 'controller_mutation_rate', kind: 'mutations', scale: 1 },
    { key: 'connection_creation_rate', kind: 'connections', scale: 1 },
  ];

/** Kafka's names of what a quota can be for. */
const ENTITY_FIELDS = { user: 'user', 'client-id': 'clientId', ip: 'address' } as const;
type EntityType = keyof typeof ENTITY_FIELDS;
const ENTITY_TYPES = Object.keys(ENTITY_FIELDS) as EntityType[]; // the keys of the literal above

const MATCH = { exact: 0, default: 1, any: 2 } as const;

export const describeClientQuotasHandler: ApiHandler = {
  api: DESCRIBE_CLIENT_QUOTAS,
  minVersion: 0,
  maxVersion: 1,
  handle(context, reader, version): void {
    const request = readDescribeClientQuotasRequest(reader, version);
    const refusal = findDescribeRefusal(context, request);
    context.respond(writeDescribeClientQuotasResponse, {
      throttleTimeMs: 0,
      errorCode: refusal?.code ?? KAFKA_ERROR.NONE,
      errorMessage: refusal?.message ?? null,
      entries:
        refusal === null
          ? context.broker.quotas
              .describe()
              .filter((entry) => matches(entry.entity, request))
              .map(describeEntry)
          : null,
    });
  },
};

function findDescribeRefusal(
  context: RequestContext,
  request: DescribeClientQuotasRequest,
): { readonly code: number; readonly message: string } | null {
  if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
    return {
      code: KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
      message: 'Cluster authorization failed.',
    };
  }
  const types = request.components.map((component) => component.entityType);
  const unknown = types.find((type) => !isEntityType(type));
  if (unknown !== undefined) {
    return {
      code: KAFKA_ERROR.UNSUPPORTED_VERSION,
      message: `Custom entity type '${unknown}' not supported`,
    };
  }
  if (new Set(types).size < types.length) {
    return { code: KAFKA_ERROR.INVALID_REQUEST, message: 'Duplicate entity type in the filter.' };
  }
  return null;
}

function isEntityType(type: string): type is EntityType {
  return type in ENTITY_FIELDS;
}

function matches(entity: QuotaEntity, request: DescribeClientQuotasRequest): boolean {
  const asked = new Set(request.components.map((component) => component.entityType));
  const others = ENTITY_TYPES.some(
    (type) => !asked.has(type) && entity[ENTITY_FIELDS[type]] !== undefined,
  );
  if (request.strict && others) return false;
  return request.components.every((component) => matchesComponent(entity, component));
}

function matchesComponent(
  entity: QuotaEntity,
  component: DescribeClientQuotasRequestComponent,
): boolean {
  if (!isEntityType(component.entityType)) return false;
  const name = entity[ENTITY_FIELDS[component.entityType]];
  if (name === undefined) return false;
  if (component.matchType === MATCH.any) return true;
  return component.matchType === MATCH.default ? name === null : name === component.match;
}

function describeEntry(entry: QuotaEntry): DescribeClientQuotasResponseEntry {
  const names: DescribeClientQuotasResponseEntry['entity'] = [];
  for (const type of ENTITY_TYPES) {
    const name = entry.entity[ENTITY_FIELDS[type]];
    if (name !== undefined) names.push({ entityType: type, entityName: name });
  }
  const values: DescribeClientQuotasResponseEntry['values'] = [];
  for (const { key, kind, scale } of RATES) {
    const rate = entry.rates[kind];
    if (rate !== undefined) values.push({ key, value: rate / scale });
  }
  return { entity: names, values };
}

export const alterClientQuotasHandler: ApiHandler = {
  api: ALTER_CLIENT_QUOTAS,
  minVersion: 0,
  maxVersion: 1,
  handle(context, reader, version): void {
    const request = readAlterClientQuotasRequest(reader, version);
    const entries = Promise.all(
      request.entries.map((entry) => alterEntry(context, entry, request.validateOnly)),
    );
    answerLater(
      context,
      writeAlterClientQuotasResponse,
      entries.then((list) => ({ throttleTimeMs: 0, entries: list })),
    );
  },
};

async function alterEntry(
  context: RequestContext,
  asked: AlterClientQuotasRequestEntry,
  validateOnly: boolean,
): Promise<AlterClientQuotasResponseEntry> {
  const answer = (errorCode: number, errorMessage: string | null) => ({
    errorCode,
    errorMessage,
    entity: asked.entity,
  });
  if (!context.allows('alter-configs', 'cluster', CLUSTER_NAME)) {
    return answer(KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED, 'Cluster authorization failed.');
  }
  const entity = readEntity(asked.entity);
  if (typeof entity === 'string') return answer(KAFKA_ERROR.INVALID_REQUEST, entity);
  const changes: Partial<Record<QuotaKind, number | null>> = {};
  for (const op of asked.ops) {
    const rate = RATES.find((one) => one.key === op.key);
    const forAddress = rate?.kind === 'connections';
    if (rate === undefined || forAddress !== (entity.address !== undefined)) {
      return answer(KAFKA_ERROR.INVALID_REQUEST, `Invalid configuration key ${op.key}`);
    }
    changes[rate.kind] = op.remove ? null : op.value * rate.scale;
  }
  if (validateOnly) return answer(KAFKA_ERROR.NONE, null);
  const outcome = await context.broker.quotas.alter(entity, changes);
  if (outcome.status === 'invalid') return answer(KAFKA_ERROR.INVALID_REQUEST, outcome.message);
  return outcome.status === 'ok'
    ? answer(KAFKA_ERROR.NONE, null)
    : answer(KAFKA_ERROR.NOT_CONTROLLER, 'Others keep changing the same quota.');
}

/** The entity, or what is wrong with it. */
function readEntity(parts: readonly AlterClientQuotasRequestEntity[]): QuotaEntity | string {
  const entity: { user?: string | null; clientId?: string | null; address?: string | null } = {};
  for (const { entityType, entityName } of parts) {
    if (!isEntityType(entityType)) return `Unhandled client quota entity type: ${entityType}`;
    const field = ENTITY_FIELDS[entityType];
    if (entity[field] !== undefined) return `Duplicate client quota entity type: ${entityType}`;
    entity[field] = entityName;
  }
  return parts.length === 0 ? 'Invalid empty client quota entity' : entity;
}
