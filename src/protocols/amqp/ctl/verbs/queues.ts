import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { namespaceIn } from './outcomes.ts';

export const QUEUE_VERBS: readonly Verb[] = [
  {
    name: 'delete_queue',
    usage: '[--vhost <vhost>] <queue_name> [--if-empty|-e] [--if-unused|-u]',
    arguments: { min: 1, max: 1 },
    run: deleteQueue,
  },
  {
    name: 'purge_queue',
    usage: '[--vhost <vhost>] <queue>',
    arguments: { min: 1, max: 1 },
    run: async (call) => {
      const [name = ''] = call.args;
      const banner = `Purging queue '${name}' in vhost '${call.options.vhost}' ...`;
      const namespace = namespaceIn(call, banner);
      const queue = call.management.queues.byName(namespace, name);
      if (queue === null) throw new CtlError(CTL_EXIT.data, 'Queue not found', banner);
      await queue.purge();
      return lines(banner);
    },
  },
];

async function deleteQueue(call: CtlCall): Promise<CtlReply> {
  const [name = ''] = call.args;
  const { vhost, flags } = call.options;
  const banner = `Deleting queue '${name}' on vhost '${vhost}' ...`;
  const namespace = namespaceIn(call, banner);
  const { queues, broker } = call.management;
  const isStream =
    queues.byName(namespace, name) === null && broker.topics.byName(namespace, name) !== null;
  if (isStream) {
    const { status } = await broker.topics.delete(namespace, name);
    if (status === 'ok')
      return lines(banner, 'Queue was successfully deleted with 0 ready messages');
    throw new CtlError(CTL_EXIT.software, `the stream could not be deleted: ${status}`, banner);
  }
  const outcome = await queues.delete(namespace, name, {
    ifEmpty: flags.has('if-empty'),
    ifUnused: flags.has('if-unused'),
  });
  switch (outcome.status) {
    case 'ok':
      return lines(
        banner,
        `Queue was successfully deleted with ${outcome.messages} ready messages`,
      );
    case 'unknown':
      throw new CtlError(CTL_EXIT.usage, 'Queue not found', banner);
    case 'in-use':
      throw new CtlError(CTL_EXIT.usage, 'Queue is in use', banner);
    case 'not-empty':
      throw new CtlError(CTL_EXIT.usage, 'Queue is not empty', banner);
    case 'failed':
      throw new CtlError(CTL_EXIT.software, 'the queue could not be deleted', banner);
    default:
      return outcome satisfies never;
  }
}
