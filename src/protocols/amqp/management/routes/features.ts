import type { Call } from '../call.ts';
import { badRequest } from '../http-error.ts';
import { NO_CONTENT, rows, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';

/** What RabbitMQ puts behind switches up to 4.0 and clients ask for by name; all of it is on here. */
export const FEATURE_FLAGS = [
  'classic_mirrored_queue_version',
  'classic_queue_type_delivery_support',
  'direct_exchange_routing_v2',
  'drop_unroutable_metric',
  'empty_basic_get_metric',
  'feature_flags_v2',
  'implicit_default_bindings',
  'listener_records_in_ets',
  'maintenance_mode_status',
  'message_containers',
  'quorum_queue',
  'quorum_queue_non_voters',
  'stream_filtering',
  'stream_queue',
  'stream_single_active_consumer',
  'stream_update_config_command',
  'tracking_records_in_ets',
  'user_limits',
  'virtual_host_metadata',
] as const;

export const FEATURE_ROUTES: readonly Route[] = [
  {
    path: '/feature-flags',
    GET: () =>
      rows(
        FEATURE_FLAGS.map((name) => ({
          name,
          desc: '',
          doc_url: '',
          state: 'enabled',
          stability: 'stable',
          provided_by: 'rabbit',
        })),
      ),
  },
  {
    path: '/feature-flags/:name/enable',
    role: 'administrator',
    PUT: (call: Call): Reply => {
      const name = call.param('name');
      if (name === 'all' || FEATURE_FLAGS.some((flag) => flag === name)) return NO_CONTENT;
      throw badRequest(`feature flag '${name}' is not known`);
    },
  },
  // Nothing is going to be taken away.
  { path: '/deprecated-features', GET: () => rows([]) },
  { path: '/deprecated-features/used', GET: () => rows([]) },
  // Components of RabbitMQ that do not run here have nothing to tell.
  { path: '/shovels', role: 'monitoring', GET: () => rows([]) },
  { path: '/shovels/:vhost', role: 'monitoring', GET: () => rows([]) },
  { path: '/federation-links', role: 'monitoring', GET: () => rows([]) },
  { path: '/federation-links/:vhost', role: 'monitoring', GET: () => rows([]) },
  { path: '/reset', role: 'administrator', DELETE: resetStats },
  { path: '/reset/:node', role: 'administrator', DELETE: resetStats },
];

/** Rates begin anew; what was counted stays counted. */
function resetStats({ management }: Call): Reply {
  management.rates.reset();
  return NO_CONTENT;
}
