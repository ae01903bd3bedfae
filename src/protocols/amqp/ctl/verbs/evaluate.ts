import { term } from '../format.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';

/**
 * There is no Erlang here. Expressions that test suites and operators' scripts are known to use are recognised and do
 * what they would; any other is refused.
 */
export const EVALUATION_VERBS: readonly Verb[] = [
  { name: 'eval', usage: '<expression>', arguments: { min: 1, max: 100 }, run: evaluate },
  {
    name: 'environment',
    usage: '',
    arguments: { min: 0, max: 0 },
    run: ({ management }) => {
      const { config, broker } = management.services;
      return lines(
        `Application environment of node ${management.nodeName} ...`,
        `[{rabbit,[{channel_max,${config.channelMax}},{frame_max,${config.frameBytesMax}},` +
          `{heartbeat,${config.heartbeatSeconds}},{max_message_size,${config.messageBytesMax}},` +
          `{loopback_users,${binaries(broker.security.logins.loopbackUsers)}}]}].`,
      );
    },
  },
];

interface Expression {
  readonly pattern: RegExp;
  run(call: CtlCall, match: RegExpExecArray): string;
}

const ATOM = '[a-z_]\\w*';
const NODE = `(?:node\\(\\)|'[^']*')`;

const EXPRESSIONS: readonly Expression[] = [
  {
    pattern: new RegExp(
      `^rabbit_alarm:set_alarm\\(\\{\\{resource_limit,(${ATOM}),${NODE}\\},\\[\\]\\}\\)$`,
    ),
    run: (call, [, resource = '']) => setAlarm(call, resource, true),
  },
  {
    pattern: new RegExp(`^rabbit_alarm:clear_alarm\\(\\{resource_limit,(${ATOM}),${NODE}\\}\\)$`),
    run: (call, [, resource = '']) => setAlarm(call, resource, false),
  },
  {
    pattern: /^application:set_env\(rabbit,channel_max,(\d+)\)$/,
    run: ({ management }, [, count = '']) => {
      management.ports.frontend.setChannelMax(Number(count));
      return 'ok';
    },
  },
  {
    pattern: /^application:get_env\(rabbit,channel_max\)$/,
    run: ({ management }) => `{ok,${management.services.config.channelMax}}`,
  },
  {
    pattern: /^application:get_env\(rabbit,loopback_users\)$/,
    run: ({ management }) => `{ok,${binaries(management.broker.security.logins.loopbackUsers)}}`,
  },
  {
    pattern: /^application:set_env\(rabbit,loopback_users,\[(.*)\]\)$/,
    run: ({ management }, [, list = '']) => {
      const names = Array.from(list.matchAll(/<<"([^"]*)">>/g), ([, name = '']) => name);
      management.broker.security.logins.setLoopbackUsers(names);
      return 'ok';
    },
  },
  { pattern: /^node\(\)$/, run: ({ management }) => `'${management.nodeName}'` },
  {
    pattern: /^rabbit_misc:version\(\)$|^rabbit:product_version\(\)$/,
    run: ({ management }) => term(management.announcedVersion),
  },
];

function evaluate(call: CtlCall): CtlReply {
  const expression = call.args.join(' ').trim();
  // Spaces and the dot at the end carry no meaning.
  const plain = expression.replace(/\s+/g, '').replace(/\.$/, '');
  for (const known of EXPRESSIONS) {
    const match = known.pattern.exec(plain);
    if (match !== null) return lines(null, known.run(call, match));
  }
  throw new CtlError(
    CTL_EXIT.data,
    `this expression is not known, and there is no Erlang to evaluate it: ${expression}`,
    '',
  );
}

function setAlarm({ management }: CtlCall, resource: string, raised: boolean): string {
  if (resource !== 'memory' && resource !== 'disk') {
    throw new CtlError(CTL_EXIT.data, `there is no alarm for '${resource}'`, '');
  }
  management.queues.setAlarm(resource, raised);
  return 'ok';
}

function binaries(names: Iterable<string>): string {
  return `[${Array.from(names, (name) => `<<"${name}">>`).join(',')}]`;
}
