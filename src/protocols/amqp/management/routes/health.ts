import { createDeferred } from '../../../../base/deferred.ts';
import { Message } from '../../../../core/message/message.ts';
import { demandRight } from '../access.ts';
import type { Call } from '../call.ts';
import { badRequest, HttpError, internalError } from '../http-error.ts';
import { json, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { alarms } from '../views/node-view.ts';

const OK = { status: 'ok' } as const;
const ALIVENESS_QUEUE = 'aliveness-test';
const DAY_MS = 86_400_000;
const UNIT_DAYS: Readonly<Record<string, number>> = {
  day: 1,
  days: 1,
  week: 7,
  weeks: 7,
  month: 30,
  months: 30,
  year: 365,
  years: 365,
};
const SINGLE_NODE = { status: 'ok', reason: 'single node cluster' } as const;

/** Questions of orchestrators and monitors: 200 when all is well, 503 when not. */
export const HEALTH_ROUTES: readonly Route[] = [
  { path: '/health/checks/alarms', GET: checkAlarms },
  { path: '/health/checks/local-alarms', GET: checkAlarms },
  { path: '/health/checks/certificate-expiration/:within/:unit', GET: checkCertificates },
  { path: '/health/checks/port-listener/:port', GET: checkPort },
  { path: '/health/checks/protocol-listener/:protocol', GET: checkProtocol },
  { path: '/health/checks/virtual-hosts', GET: () => json(OK) },
  { path: '/health/checks/node-is-mirror-sync-critical', GET: () => json(SINGLE_NODE) },
  { path: '/health/checks/node-is-quorum-critical', GET: () => json(SINGLE_NODE) },
  { path: '/health/checks/metadata-store/initialized', GET: () => json(OK) },
  { path: '/health/checks/metadata-store/initialized/with-data', GET: () => json(OK) },
  {
    path: '/health/checks/quorum-queues-without-elected-leaders/vhost/:vhost',
    GET: () => json(OK),
  },
  { path: '/health/checks/ready-to-serve-clients', GET: checkAlarms },
  { path: '/health/checks/is-in-service', GET: () => json(OK) },
  { path: '/health/checks/below-node-connection-limit', GET: () => json(OK) },
  { path: '/healthchecks/node', GET: checkAlarms },
  { path: '/healthchecks/node/:node', GET: checkAlarms },
  { path: '/aliveness-test/:vhost', GET: aliveness },
];

const failed = (facts: Readonly<Record<string, unknown>>): Reply =>
  json({ status: 'failed', ...facts }, 503);

function checkAlarms({ management }: Call): Reply {
  const { memory, disk } = alarms(management);
  const raised = [...(memory ? ['memory'] : []), ...(disk ? ['disk'] : [])];
  if (raised.length === 0) return json(OK);
  return failed({
    reason: 'There are alarms in effect in the cluster',
    alarms: raised.map((resource) => ({ node: management.nodeName, resource })),
  });
}

function checkCertificates(call: Call): Reply {
  const days = UNIT_DAYS[call.param('unit')];
  if (days === undefined) {
    throw badRequest('Time unit not recognised. Supported units: days, weeks, months, years.');
  }
  const within = Number(call.param('within'));
  if (!Number.isSafeInteger(within) || within < 0) throw badRequest('Invalid expiration');
  const { ports, broker, nodeName } = call.management;
  const nowMs = broker.clock.wallMs();
  const expired = ports
    .listeners()
    .filter(({ certificateExpiresMs: at }) => at !== null && at < nowMs + within * days * DAY_MS);
  if (expired.length === 0) return json(OK);
  return failed({
    reason: 'Certificates expiring',
    expired: expired.map(({ protocol, address, port, certificateExpiresMs }) => ({
      node: nodeName,
      protocol,
      interface: address,
      port,
      cert_expires_on: [new Date(certificateExpiresMs ?? 0).toISOString()],
    })),
  });
}

function checkPort(call: Call): Reply {
  const port = Number(call.param('port'));
  if (!Number.isSafeInteger(port)) throw badRequest('Invalid port');
  const ports = call.management.ports.listeners().map((listener) => listener.port);
  if (ports.includes(port)) return json({ status: 'ok', port });
  return failed({ reason: 'No active listener', missing: port, ports });
}

function checkProtocol(call: Call): Reply {
  const protocol = call.param('protocol');
  const protocols = call.management.ports.listeners().map((listener) => listener.protocol);
  const same = (one: string): boolean => canonical(one) === canonical(protocol);
  if (protocols.some(same)) return json({ status: 'ok', protocol });
  return failed({ reason: 'No active listener', missing: protocol, protocols });
}

/** amqp091 and amqp are one protocol, https and http/ssl another. */
function canonical(protocol: string): string {
  const name = protocol.toLowerCase();
  if (name === 'amqp091') return 'amqp';
  if (name === 'amqps') return 'amqp/ssl';
  return name === 'https' ? 'http/ssl' : name;
}

/** Declares a queue, publishes to it and takes the message again. */
async function aliveness(call: Call): Promise<Reply> {
  const { management, namespace } = call;
  const { queues, router } = management;
  for (const right of ['configure', 'read'] as const) {
    demandRight(call, right, 'queue', ALIVENESS_QUEUE);
  }
  demandRight(call, 'write', 'exchange', '');
  const outcome = await queues.declare({
    namespace,
    name: ALIVENESS_QUEUE,
    durable: false,
    autoDelete: false,
    exclusiveOwner: null,
    arguments: {},
  });
  if (outcome.status !== 'ok') throw internalError(`aliveness-test queue: ${outcome.status}`);
  const message = new Message();
  message.routingKey = ALIVENESS_QUEUE;
  message.body = Buffer.from('test_message');
  message.bodyEnd = message.body.length;
  message.publishedMs = management.broker.clock.wallMs();
  router.publishToQueue(outcome.queue, message);
  const taken = createDeferred<boolean>();
  outcome.queue.get({ noAck: true }, (delivery) => taken.resolve(delivery !== null));
  if (await taken.promise) return json(OK);
  throw new HttpError(503, 'failed', 'the test message did not come back');
}
