import {
  bodyFrame,
  frame,
  headerFrame,
  heartbeatFrame,
  methodFrame,
  methodPayload,
  textOf,
} from '../frames.ts';
import type { Scenario, Session } from '../session.ts';
import { Writer } from '../values.ts';

const END = ['end'];

/** Sends the bytes on a connection that is logged in and waits for its end. */
function fatal(name: string, bytes: () => Buffer, withChannel = true): Scenario {
  return {
    name,
    run: async (s) => {
      const a = await s.open('a');
      if (withChannel) await s.channel('a');
      a.write(bytes());
      await a.next(0, ['connection.close']);
    },
  };
}

/** A login that fails; what the broker says to it, and how it hangs up. */
function refusedLogin(name: string, options: Parameters<Session['open']>[1]): Scenario {
  return {
    name,
    run: async (s) => {
      await s.open('a', options);
    },
  };
}

const LOGIN: readonly Scenario[] = [
  {
    name: 'connection/start and tune',
    run: async (s) => {
      const a = await s.dial('a');
      a.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
      const start = await a.next(0, ['connection.start']);
      const { capabilities } = start.args['server-properties'] as Record<string, { F: object }>;
      s.note(`mechanisms ${textOf(start.args['mechanisms']).split(' ').sort().join(' ')}`);
      s.note(`capabilities ${JSON.stringify(capabilities?.F)}`);
      a.send(0, 'connection.start-ok', {
        mechanism: 'PLAIN',
        response: `\0${s.address.user}\0${s.address.password}`,
        locale: 'en_US',
      });
      const tune = await a.next(0, ['connection.tune']);
      s.note(`tune ${JSON.stringify(tune.args)}`);
    },
  },
  {
    name: 'connection/AMQPLAIN',
    run: async (s) => {
      const fields = new Writer()
        .shortstr('LOGIN')
        .field({ S: s.address.user })
        .shortstr('PASSWORD')
        .field({ S: s.address.password });
      await s.open('a', { mechanism: 'AMQPLAIN', response: fields.bytes().toString('latin1') });
    },
  },
  {
    name: 'connection/other protocol versions',
    run: async (s) => {
      for (const version of [
        [1, 1, 0, 9],
        [1, 1, 9, 1],
        [0, 0, 9, 0],
        [9, 9, 9, 9],
      ]) {
        const a = await s.dial('a');
        a.write(Buffer.from([...Buffer.from('AMQP'), ...version]));
        const { name, args } = await a.next(0, ['connection.start']);
        const what = name === 'connection.start' ? args['version-minor'] : args['version'];
        s.note(`${version.join('.')}: ${name} ${JSON.stringify(what)}`);
        a.received.length = 0;
        await a.close();
      }
    },
  },
  {
    name: 'connection/another protocol',
    run: async (s) => {
      const a = await s.dial('a');
      a.write(Buffer.from('GET / HTTP/1.1\r\n\r\n', 'latin1'));
      await a.next(0, END);
    },
  },
  refusedLogin('connection/wrong password', { password: 'wrong' }),
  refusedLogin('connection/wrong password without the capability', {
    password: 'wrong',
    clientProperties: {},
  }),
  refusedLogin('connection/unknown mechanism', { mechanism: 'NONSENSE' }),
  refusedLogin('connection/malformed PLAIN response', { response: 'guest' }),
  refusedLogin('connection/unknown virtual host', { virtualHost: 'nowhere' }),
  refusedLogin('connection/frame-max too large', { frameMax: 1_000_000 }),
  refusedLogin('connection/frame-max too small', { frameMax: 1024 }),
  refusedLogin('connection/channel-max too large', { channelMax: 65_535 }),
  {
    name: 'connection/frame-max and channel-max without limit are refused or not',
    run: async (s) => {
      await s.open('a', { frameMax: 0, channelMax: 0 });
    },
  },
  {
    name: 'connection/open a second time',
    run: async (s) => {
      const a = await s.open('a');
      a.send(0, 'connection.open', { 'virtual-host': '/' });
      await a.next(0, ['connection.open-ok']);
    },
  },
  {
    name: 'connection/close by the client',
    run: async (s) => {
      const a = await s.open('a');
      a.send(0, 'connection.close', { 'reply-code': 200, 'reply-text': 'bye' });
      await a.next(0, ['connection.close-ok']);
    },
  },
  {
    name: 'connection/update-secret',
    run: async (s) => {
      const a = await s.open('a');
      a.send(0, 'connection.update-secret', {
        'new-secret': s.address.password,
        reason: 'rotation',
      });
      await a.next(0, ['connection.update-secret-ok']);
    },
  },
];

const CHANNELS: readonly Scenario[] = [
  {
    name: 'channel/close and open again',
    run: async (s) => {
      const ch = await s.channel('a', 7);
      await ch.call('channel.close', { 'reply-code': 200, 'reply-text': 'bye' });
      await ch.call('channel.open');
      await ch.call('queue.declare', { queue: '', exclusive: true });
    },
  },
  {
    name: 'channel/a broker that closed it ignores what follows',
    run: async (s) => {
      const a = await s.open('a', { silent: true });
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.none', passive: true });
      ch.send('queue.declare', { queue: 'diff.ignored' });
      ch.put('diff.ignored', 'dropped');
      ch.send('channel.close-ok');
      await ch.call('channel.open');
      await ch.call('queue.declare', { queue: 'diff.ignored', passive: true });
      a.send(1, 'channel.close-ok');
    },
  },
  {
    name: 'channel/flow',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('channel.flow', { active: true });
      await ch.call('channel.flow', { active: false });
    },
  },
  {
    name: 'channel/access.request',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('access.request', { realm: '/data', active: true, read: true });
    },
  },
  {
    name: 'channel/highest number',
    run: async (s) => {
      await s.channel('a', 2047);
    },
  },
  {
    name: 'channel/number above channel-max',
    run: async (s) => {
      await s.open('a', { channelMax: 10 });
      await s.channel('a', 11);
    },
  },
  fatal('channel/opened twice', () => methodFrame(1, 'channel.open')),
  fatal('channel/not open', () => methodFrame(5, 'queue.declare', { queue: 'q' })),
  fatal('channel/zero for a queue', () => methodFrame(0, 'queue.declare', { queue: 'q' })),
  fatal('channel/connection method on a channel', () =>
    methodFrame(1, 'connection.open', { 'virtual-host': '/' }),
  ),
  fatal('channel/zero opened', () => methodFrame(0, 'channel.open')),
];

const method = (classId: number, methodId: number, rest = ''): Buffer =>
  frame(1, 1, new Writer().short(classId).short(methodId).raw(Buffer.from(rest, 'hex')).bytes());

const FRAMES: readonly Scenario[] = [
  fatal('frames/unknown method', () => method(50, 99)),
  fatal('frames/unknown class', () => method(99, 10)),
  fatal('frames/arguments cut short', () => method(50, 10, '0000')),
  fatal('frames/bytes after the arguments', () =>
    frame(1, 1, Buffer.concat([methodPayload('tx.select'), Buffer.from([1, 2, 3])])),
  ),
  fatal('frames/field table with an unknown type', () =>
    frame(
      1,
      1,
      Buffer.concat([
        methodPayload('queue.declare', { queue: 'diff.q' }).subarray(0, -4),
        new Writer().long(3).shortstr('a').raw(Buffer.from('?')).bytes(),
      ]),
    ),
  ),
  fatal('frames/wrong frame end', () => {
    const bytes = methodFrame(1, 'tx.select');
    bytes[bytes.length - 1] = 0;
    return bytes;
  }),
  fatal('frames/longer than frame-max', () => bodyFrame(1, Buffer.alloc(131_073))),
  fatal('frames/unknown frame type', () => frame(77, 1, Buffer.alloc(0))),
  fatal('frames/header without a method', () => headerFrame(1, 0)),
  fatal('frames/body without a header', () => bodyFrame(1, Buffer.from('x'))),
  fatal('frames/method where a header should come', () =>
    Buffer.concat([methodFrame(1, 'basic.publish'), methodFrame(1, 'tx.select')]),
  ),
  fatal('frames/body where a header should come', () =>
    Buffer.concat([methodFrame(1, 'basic.publish'), bodyFrame(1, Buffer.from('x'))]),
  ),
  {
    name: 'frames/body longer than announced',
    run: async (s) => {
      const a = await s.open('a');
      const ch = await s.channel('a');
      ch.send('basic.publish', { 'routing-key': 'diff.none' });
      a.write(Buffer.concat([headerFrame(1, 2), bodyFrame(1, Buffer.from('too long'))]));
      await ch.quiet();
      ch.send('tx.select');
      await a.next(1, ['tx.select-ok']);
    },
  },
  fatal('frames/header of another class', () =>
    Buffer.concat([methodFrame(1, 'basic.publish'), headerFrame(1, 0, {}, 50)]),
  ),
  fatal('frames/heartbeat on a channel', () => heartbeatFrame(1)),
  {
    name: 'frames/heartbeat, and a body in many small frames',
    run: async (s) => {
      const a = await s.open('a');
      const ch = await s.channel('a');
      a.write(heartbeatFrame());
      await ch.call('queue.declare', { queue: 'diff.small' });
      ch.send('basic.publish', { 'routing-key': 'diff.small' });
      a.write(headerFrame(1, 6));
      for (const letter of 'abcdef') a.write(bodyFrame(1, Buffer.from(letter)));
      await ch.get('diff.small', { 'no-ack': true });
    },
  },
];

export const CONNECTION_SCENARIOS: readonly Scenario[] = [...LOGIN, ...CHANNELS, ...FRAMES];
