import type { AmqpConnection } from '../../connection.ts';
import type { CtlContext } from '../verb.ts';

/** What stands for a connection where RabbitMQ's tools show an Erlang process: <rabbit@host.STARTED.ID.0>. */
export function connectionPid({ management }: CtlContext, { id }: AmqpConnection): string {
  return `<${prefix(management)}.${id}.0>`;
}

export function channelPid(
  { management }: CtlContext,
  connection: AmqpConnection,
  number: number,
): string {
  return `<${prefix(management)}.${connection.id}.${number}>`;
}

/** For what has no connection: the broker's own. */
export function ownPid({ management }: CtlContext): string {
  return `<${prefix(management)}.0.0>`;
}

/** The connection that somebody means: by that text, or by its name. */
export function findConnection(context: CtlContext, named: string): AmqpConnection | null {
  const wanted = named.trim();
  for (const connection of context.management.connections()) {
    if (connectionPid(context, connection) === wanted || connection.name === wanted) {
      return connection;
    }
  }
  return null;
}

function prefix({ nodeName, ports }: CtlContext['management']): string {
  return `${nodeName}.${Math.floor(ports.startedAtMs / 1000)}`;
}
