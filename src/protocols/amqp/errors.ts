import { LyrebirdError } from '../../base/errors.ts';
import { isHardError, REPLY_CODE, type ReplyCode } from './codec/generated/reply-codes.ts';
import { replyText } from './codec/codec-error.ts';

/**
 * What a client did wrong, in the protocol's words. Ends the channel or, with one of the hard codes, the connection.
 * Handlers throw it; the connection adds the method that failed.
 */
export class AmqpError extends LyrebirdError {
  override readonly name = 'AmqpError';
  readonly replyCode: ReplyCode;
  readonly replyText: string;

  constructor(replyCode: ReplyCode, explanation: string) {
    const text = replyText(replyCode, explanation);
    super('LB5003', text, { details: { replyCode } });
    this.replyCode = replyCode;
    this.replyText = text;
  }

  get hard(): boolean {
    return isHardError(this.replyCode);
  }
}

export const accessRefused = (text: string): AmqpError =>
  new AmqpError(REPLY_CODE.ACCESS_REFUSED, text);
export const notFound = (text: string): AmqpError => new AmqpError(REPLY_CODE.NOT_FOUND, text);
export const preconditionFailed = (text: string): AmqpError =>
  new AmqpError(REPLY_CODE.PRECONDITION_FAILED, text);
export const notAllowed = (text: string): AmqpError => new AmqpError(REPLY_CODE.NOT_ALLOWED, text);
export const notImplemented = (text: string): AmqpError =>
  new AmqpError(REPLY_CODE.NOT_IMPLEMENTED, text);
export const channelError = (text: string): AmqpError =>
  new AmqpError(REPLY_CODE.CHANNEL_ERROR, text);
export const internalError = (text: string): AmqpError =>
  new AmqpError(REPLY_CODE.INTERNAL_ERROR, text);

/** `queue 'q' in vhost '/'` */
export const named = (kind: 'queue' | 'exchange', name: string, vhost: string): string =>
  `${kind} '${name}' in vhost '${vhost}'`;
export const noQueue = (name: string, vhost: string): AmqpError =>
  notFound(`no ${named('queue', name, vhost)}`);
export const noExchange = (name: string, vhost: string): AmqpError =>
  notFound(`no ${named('exchange', name, vhost)}`);

/** What a declaration says differs from what is there. Values as text, `none` for an argument that is absent. */
export function inequivalent(
  subject: string,
  difference: { readonly property: string; readonly received: string; readonly current: string },
): AmqpError {
  const { property, received, current } = difference;
  const isOneAbsent = received === ABSENT || current === ABSENT;
  const show = isOneAbsent ? withType : quoted;
  return preconditionFailed(
    `inequivalent arg '${property}' for ${subject}: received ${show(received)} but current is ${show(current)}`,
  );
}

const ABSENT = 'none';
const quoted = (value: string): string => `'${value}'`;

function withType(value: string): string {
  if (value === ABSENT) return value;
  const isInteger = /^-?\d+$/.test(value);
  const type = isInteger ? 'signedint' : value === 'true' || value === 'false' ? 'bool' : 'longstr';
  return `the value '${value}' of type '${type}'`;
}

/** An exclusive queue of another connection, or one that is exclusive only in the client's mind. */
export const locked = (name: string, vhost: string): AmqpError =>
  new AmqpError(
    REPLY_CODE.RESOURCE_LOCKED,
    `cannot obtain exclusive access to locked ${named('queue', name, vhost)}. It could be originally declared ` +
      'on another connection or the exclusive property value does not match that of the original declaration.',
  );
