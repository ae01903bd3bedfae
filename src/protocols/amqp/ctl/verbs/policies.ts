import type { ApplyTo, PolicyKind } from '../../../../core/policy/policy-types.ts';
import type { ArgumentValue, Arguments } from '../../../../core/queue-types.ts';
import { vhostOf } from '../../vhost.ts';
import { JsonText } from '../format.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { expectDone, namespaceIn, noVhost, parseJson } from './outcomes.ts';

/** Policies, operator policies and runtime parameters. */
export const POLICY_VERBS: readonly Verb[] = [
  ...policyVerbs('policy', 'policy', 'policies'),
  ...policyVerbs('operator-policy', 'operator_policy', 'operator_policies'),
  {
    name: 'set_parameter',
    usage: '[--vhost <vhost>] <component_name> <name> <value>',
    arguments: { min: 3, max: 3 },
    run: async (call) => {
      const [component = '', name = '', text = ''] = call.args;
      const { vhost } = call.options;
      const banner = `Setting runtime parameter "${name}" for component "${component}" to "${text}" in vhost "${vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const value = parseJson(text, banner) as ArgumentValue;
      const { parameters } = call.management.broker;
      const outcome = await parameters.set({ namespace, component, name, value });
      expectDone(outcome, banner, noVhost(vhost));
      return lines(banner);
    },
  },
  {
    name: 'clear_parameter',
    usage: '[--vhost <vhost>] <component_name> <name>',
    arguments: { min: 2, max: 2 },
    run: async (call) => {
      const [component = '', name = ''] = call.args;
      const banner = `Clearing runtime parameter "${name}" for component "${component}" on vhost "${call.options.vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const { parameters } = call.management.broker;
      expectCleared(await parameters.clear(namespace, component, name), banner);
      return lines(banner);
    },
  },
  {
    name: 'list_parameters',
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 0 },
    run: (call) => {
      const banner = `Listing runtime parameters for vhost "${call.options.vhost}" ...`;
      const namespace = namespaceIn(call, banner);
      const all = call.management.broker.parameters.list({ namespace });
      return {
        kind: 'table',
        banner,
        columns: ['component', 'name', 'value'],
        rows: all.map(({ component, name, value }) => ({
          component,
          name,
          value: new JsonText(value),
        })),
      };
    },
  },
  {
    name: 'set_global_parameter',
    usage: '<name> <value>',
    arguments: { min: 2, max: 2 },
    run: async ({ management, args: [name = '', text = ''] }) => {
      const banner = `Setting global runtime parameter "${name}" to "${text}" ...`;
      const value = parseJson(text, banner) as ArgumentValue;
      expectDone(await management.broker.parameters.setGlobal(name, value), banner, '');
      return lines(banner);
    },
  },
  {
    name: 'clear_global_parameter',
    usage: '<name>',
    arguments: { min: 1, max: 1 },
    run: async ({ management, args: [name = ''] }) => {
      const banner = `Clearing global runtime parameter "${name}" ...`;
      expectCleared(await management.broker.parameters.clearGlobal(name), banner);
      return lines(banner);
    },
  },
  {
    name: 'list_global_parameters',
    usage: '',
    arguments: { min: 0, max: 0 },
    run: ({ management }) => ({
      kind: 'table',
      banner: 'Listing global runtime parameters ...',
      columns: ['name', 'value'],
      rows: management.broker.parameters
        .listGlobal()
        .map(({ name, value }) => ({ name, value: new JsonText(value) })),
    }),
  },
];

function policyVerbs(kind: PolicyKind, one: string, many: string): readonly Verb[] {
  const word = kind === 'policy' ? 'policy' : 'operator policy override';
  return [
    {
      name: `set_${one}`,
      usage: '[--vhost <vhost>] [--priority <n>] [--apply-to <what>] <name> <pattern> <definition>',
      arguments: { min: 3, max: 3 },
      run: (call) => setPolicy(call, kind, word),
    },
    {
      name: `clear_${one}`,
      usage: '[--vhost <vhost>] <name>',
      arguments: { min: 1, max: 1 },
      run: async (call) => {
        const [name = ''] = call.args;
        const banner = `Clearing ${word} "${name}" on vhost "${call.options.vhost}" ...`;
        const namespace = namespaceIn(call, banner);
        const { policies } = call.management.broker;
        expectCleared(await policies.delete(kind, namespace, name), banner);
        return lines(banner);
      },
    },
    {
      name: `list_${many}`,
      usage: '[--vhost <vhost>]',
      arguments: { min: 0, max: 0 },
      run: (call) => {
        const banner = `Listing ${kind === 'policy' ? 'policies' : 'operator policy overrides'} for vhost "${call.options.vhost}" ...`;
        const namespace = namespaceIn(call, banner);
        return {
          kind: 'table',
          banner,
          columns: ['vhost', 'name', 'pattern', 'apply-to', 'definition', 'priority'],
          rows: call.management.broker.policies.list(kind, namespace).map((policy) => ({
            vhost: vhostOf(policy.namespace),
            name: policy.name,
            pattern: policy.pattern,
            'apply-to': policy.applyTo,
            definition: new JsonText(policy.definition),
            priority: policy.priority,
          })),
        };
      },
    },
  ];
}

async function setPolicy(call: CtlCall, kind: PolicyKind, word: string): Promise<CtlReply> {
  const [name = '', pattern = '', text = ''] = call.args;
  const { vhost, values } = call.options;
  const priority = Number(values.get('priority') ?? 0);
  const banner = `Setting ${word} "${name}" for pattern "${pattern}" to "${text}" with priority "${priority}" for vhost "${vhost}" ...`;
  const namespace = namespaceIn(call, banner);
  const outcome = await call.management.broker.policies.set(kind, {
    namespace,
    name,
    pattern,
    // The store refuses what is none of them.
    applyTo: (values.get('apply-to') ?? 'all') as ApplyTo,
    priority,
    definition: parseJson(text, banner) as Arguments,
  });
  if (outcome.status === 'invalid') {
    throw new CtlError(CTL_EXIT.software, `Validation failed\n\n${outcome.message}`, banner);
  }
  expectDone(outcome, banner, noVhost(vhost));
  return lines(banner);
}

function expectCleared(outcome: { readonly status: string }, banner: string): void {
  if (outcome.status === 'ok') return;
  throw new CtlError(CTL_EXIT.unavailable, 'Parameter does not exist', banner);
}
