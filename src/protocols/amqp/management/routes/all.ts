import type { Route } from '../route.ts';
import { BINDING_ROUTES } from './bindings.ts';
import { CONNECTION_ROUTES } from './connections.ts';
import { DEFINITION_ROUTES } from './definitions.ts';
import { EXCHANGE_ROUTES } from './exchanges.ts';
import { FEATURE_ROUTES } from './features.ts';
import { HEALTH_ROUTES } from './health.ts';
import { LIMIT_ROUTES } from './limits.ts';
import { NODE_ROUTES } from './nodes.ts';
import { OVERVIEW_ROUTES } from './overview.ts';
import { PARAMETER_ROUTES } from './parameters.ts';
import { PERMISSION_ROUTES } from './permissions.ts';
import { POLICY_ROUTES } from './policies.ts';
import { QUEUE_ROUTES } from './queues.ts';
import { USER_ROUTES } from './users.ts';
import { VHOST_ROUTES } from './vhosts.ts';

/** Every resource below /api. */
export const ROUTES: readonly Route[] = [
  ...OVERVIEW_ROUTES,
  ...NODE_ROUTES,
  ...VHOST_ROUTES,
  ...USER_ROUTES,
  ...PERMISSION_ROUTES,
  ...QUEUE_ROUTES,
  ...EXCHANGE_ROUTES,
  ...BINDING_ROUTES,
  ...CONNECTION_ROUTES,
  ...POLICY_ROUTES,
  ...PARAMETER_ROUTES,
  ...LIMIT_ROUTES,
  ...DEFINITION_ROUTES,
  ...HEALTH_ROUTES,
  ...FEATURE_ROUTES,
];
