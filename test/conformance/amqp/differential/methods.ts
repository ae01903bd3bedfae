/** How an argument is laid out; consecutive bits share an octet. */
export type ArgumentType =
  'octet' | 'short' | 'long' | 'longlong' | 'shortstr' | 'longstr' | 'table' | 'bit';

export interface Method {
  readonly name: string;
  readonly classId: number;
  readonly methodId: number;
  readonly args: readonly (readonly [name: string, type: ArgumentType])[];
}

const TYPES: Readonly<Record<string, ArgumentType>> = {
  o: 'octet',
  h: 'short',
  l: 'long',
  L: 'longlong',
  s: 'shortstr',
  S: 'longstr',
  F: 'table',
  b: 'bit',
};

/** One line per method of AMQP 0-9-1: class, method, name, and its arguments as name:type. */
const GRAMMAR = `
10 10 connection.start version-major:o version-minor:o server-properties:F mechanisms:S locales:S
10 11 connection.start-ok client-properties:F mechanism:s response:S locale:s
10 20 connection.secure challenge:S
10 21 connection.secure-ok response:S
10 30 connection.tune channel-max:h frame-max:l heartbeat:h
10 31 connection.tune-ok channel-max:h frame-max:l heartbeat:h
10 40 connection.open virtual-host:s reserved-1:s reserved-2:b
10 41 connection.open-ok reserved-1:s
10 50 connection.close reply-code:h reply-text:s class-id:h method-id:h
10 51 connection.close-ok
10 60 connection.blocked reason:s
10 61 connection.unblocked
10 70 connection.update-secret new-secret:S reason:s
10 71 connection.update-secret-ok
20 10 channel.open reserved-1:s
20 11 channel.open-ok reserved-1:S
20 20 channel.flow active:b
20 21 channel.flow-ok active:b
20 40 channel.close reply-code:h reply-text:s class-id:h method-id:h
20 41 channel.close-ok
30 10 access.request realm:s exclusive:b passive:b active:b write:b read:b
30 11 access.request-ok ticket:h
40 10 exchange.declare ticket:h exchange:s type:s passive:b durable:b auto-delete:b internal:b no-wait:b arguments:F
40 11 exchange.declare-ok
40 20 exchange.delete ticket:h exchange:s if-unused:b no-wait:b
40 21 exchange.delete-ok
40 30 exchange.bind ticket:h destination:s source:s routing-key:s no-wait:b arguments:F
40 31 exchange.bind-ok
40 40 exchange.unbind ticket:h destination:s source:s routing-key:s no-wait:b arguments:F
40 51 exchange.unbind-ok
50 10 queue.declare ticket:h queue:s passive:b durable:b exclusive:b auto-delete:b no-wait:b arguments:F
50 11 queue.declare-ok queue:s message-count:l consumer-count:l
50 20 queue.bind ticket:h queue:s exchange:s routing-key:s no-wait:b arguments:F
50 21 queue.bind-ok
50 30 queue.purge ticket:h queue:s no-wait:b
50 31 queue.purge-ok message-count:l
50 40 queue.delete ticket:h queue:s if-unused:b if-empty:b no-wait:b
50 41 queue.delete-ok message-count:l
50 50 queue.unbind ticket:h queue:s exchange:s routing-key:s arguments:F
50 51 queue.unbind-ok
60 10 basic.qos prefetch-size:l prefetch-count:h global:b
60 11 basic.qos-ok
60 20 basic.consume ticket:h queue:s consumer-tag:s no-local:b no-ack:b exclusive:b no-wait:b arguments:F
60 21 basic.consume-ok consumer-tag:s
60 30 basic.cancel consumer-tag:s no-wait:b
60 31 basic.cancel-ok consumer-tag:s
60 40 basic.publish ticket:h exchange:s routing-key:s mandatory:b immediate:b
60 50 basic.return reply-code:h reply-text:s exchange:s routing-key:s
60 60 basic.deliver consumer-tag:s delivery-tag:L redelivered:b exchange:s routing-key:s
60 70 basic.get ticket:h queue:s no-ack:b
60 71 basic.get-ok delivery-tag:L redelivered:b exchange:s routing-key:s message-count:l
60 72 basic.get-empty cluster-id:s
60 80 basic.ack delivery-tag:L multiple:b
60 90 basic.reject delivery-tag:L requeue:b
60 100 basic.recover-async requeue:b
60 110 basic.recover requeue:b
60 111 basic.recover-ok
60 120 basic.nack delivery-tag:L multiple:b requeue:b
85 10 confirm.select no-wait:b
85 11 confirm.select-ok
90 10 tx.select
90 11 tx.select-ok
90 20 tx.commit
90 21 tx.commit-ok
90 30 tx.rollback
90 31 tx.rollback-ok
`;

const METHODS: readonly Method[] = GRAMMAR.trim()
  .split('\n')
  .map((line) => {
    const [classId, methodId, name, ...args] = line.split(' ');
    return {
      name: name ?? '',
      classId: Number(classId),
      methodId: Number(methodId),
      args: args.map((arg) => {
        const [argument = '', letter = ''] = arg.split(':');
        return [argument, TYPES[letter] ?? 'bit'] as const;
      }),
    };
  });

const BY_NAME = new Map(METHODS.map((method) => [method.name, method]));
const BY_ID = new Map(METHODS.map((method) => [method.classId * 65536 + method.methodId, method]));

export function methodNamed(name: string): Method {
  const method = BY_NAME.get(name);
  if (method === undefined) throw new Error(`AMQP has no method ${name}`);
  return method;
}

export function methodWithId(classId: number, methodId: number): Method | undefined {
  return BY_ID.get(classId * 65536 + methodId);
}

/** The properties of a message, from the highest flag downwards. */
export const PROPERTIES: readonly (readonly [name: string, type: ArgumentType | 'timestamp'])[] = [
  ['content-type', 'shortstr'],
  ['content-encoding', 'shortstr'],
  ['headers', 'table'],
  ['delivery-mode', 'octet'],
  ['priority', 'octet'],
  ['correlation-id', 'shortstr'],
  ['reply-to', 'shortstr'],
  ['expiration', 'shortstr'],
  ['message-id', 'shortstr'],
  ['timestamp', 'timestamp'],
  ['type', 'shortstr'],
  ['user-id', 'shortstr'],
  ['app-id', 'shortstr'],
  ['cluster-id', 'shortstr'],
];
