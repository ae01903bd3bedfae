import { LyrebirdError } from '../../../base/errors.ts';
import { AmqpCodecError } from '../codec/codec-error.ts';
import { tableOf } from '../codec/field-object.ts';
import { METHODS } from '../codec/generated/methods.ts';
import { REPLY_CODE } from '../codec/generated/reply-codes.ts';
import type { MethodCodec } from '../codec/method-codec.ts';
import { PROTOCOL_HEADER } from '../codec/protocol-header.ts';
import type { AmqpChannel } from './channel.ts';
import { refused, replyCodeOf } from './client-error.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What both sides agreed on. */
export interface Tuning {
  readonly channelMax: number;
  readonly frameMax: number;
  /** 0: none. */
  readonly heartbeatSeconds: number;
}

interface HandshakeSettings {
  readonly clientId: string;
  readonly virtualHost: string;
  readonly credentials: Credentials;
}

const WANTED: Tuning = { channelMax: 2047, frameMax: 128 * 1024, heartbeatSeconds: 30 };
/** Capabilities by which the broker knows what it may send. */
const CAPABILITIES = {
  publisher_confirms: true,
  'basic.nack': true,
  consumer_cancel_notify: true,
  'connection.blocked': true,
  authentication_failure_close: true,
};

/** A question that is the protocol header: the answer is connection.start. */
const HEADER: MethodCodec<unknown> = {
  id: 0,
  name: 'protocol header',
  from: 'client',
  hasContent: false,
  read: () => null,
  write: () => {},
};

/** From the protocol header to connection.open-ok. */
export async function negotiate(
  control: AmqpChannel,
  send: (header: Buffer) => void,
  settings: HandshakeSettings,
): Promise<Tuning> {
  const { subject } = control;
  const { ConnectionStart, ConnectionStartOk, ConnectionTune, ConnectionTuneOk } = METHODS;
  send(PROTOCOL_HEADER);
  const start = await control
    .call(HEADER, null, ConnectionStart, subject)
    .catch((error: unknown) => {
      if (!(error instanceof AmqpCodecError)) throw error;
      throw refused(subject, REPLY_CODE.NOT_IMPLEMENTED, 'it does not speak AMQP 0-9-1');
    });
  const { user, password } = settings.credentials;
  if (!start.mechanisms.split(' ').includes('PLAIN')) {
    const text = `the broker offers ${start.mechanisms}, not PLAIN`;
    throw refused(subject, REPLY_CODE.NOT_IMPLEMENTED, text);
  }
  const login = `login as ${user} to ${subject.replace('the connection to ', '')}`;
  const startOk = {
    clientProperties: tableOf({
      product: 'Lyrebird',
      platform: 'Node.js',
      connection_name: settings.clientId,
      capabilities: CAPABILITIES,
    }),
    mechanism: 'PLAIN',
    response: Buffer.from(`\0${user}\0${password}`),
    locale: 'en_US',
  };
  const offered = await control
    .call(ConnectionStartOk, startOk, ConnectionTune, login)
    .catch((error: unknown) => {
      throw loginFailure(error, login);
    });
  const agreed: Tuning = {
    channelMax: lower(offered.channelMax, WANTED.channelMax),
    frameMax: lower(offered.frameMax, WANTED.frameMax),
    heartbeatSeconds: lower(offered.heartbeatSeconds, WANTED.heartbeatSeconds),
  };
  const { ConnectionOpen, ConnectionOpenOk } = METHODS;
  const opened = { virtualHost: settings.virtualHost };
  // tune-ok has no answer: it goes out right before open.
  const tuneAndOpen: MethodCodec<typeof opened> = {
    ...ConnectionOpen,
    write: (output, channel, method) => {
      ConnectionTuneOk.write(output, channel, agreed);
      ConnectionOpen.write(output, channel, method);
    },
  };
  await control.call(tuneAndOpen, opened, ConnectionOpenOk, `virtual host ${settings.virtualHost}`);
  return agreed;
}

/** Zero is no limit. */
function lower(theirs: number, ours: number): number {
  return theirs === 0 ? ours : Math.min(theirs, ours);
}

/** A broker that knows no better way tells of a wrong password by closing the connection. */
function loginFailure(error: unknown, login: string): unknown {
  if (replyCodeOf(error) !== null) {
    const { message } = error as Error;
    const text = message.slice(message.indexOf(': ') + 2);
    return refused(login, replyCodeOf(error) ?? 0, text);
  }
  if (!(error instanceof LyrebirdError) || error.code !== 'LB6001') return error;
  return refused(login, REPLY_CODE.ACCESS_REFUSED, 'the broker closed the connection');
}
