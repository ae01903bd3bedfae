import { LyrebirdError } from '../../../base/errors.ts';
import { REPLY_CODE_NAMES, type ReplyCode } from '../codec/generated/reply-codes.ts';

/** A broker closed a channel or a connection, or returned a message; text is its reply text. */
export function refused(what: string, replyCode: number, text: string): LyrebirdError {
  const name = REPLY_CODE_NAMES[replyCode as ReplyCode] ?? `reply code ${replyCode}`;
  const told = text.startsWith(name) ? text : `${name}${text === '' ? '' : ` - ${text}`}`;
  return new LyrebirdError('LB6003', `${what}: ${told}`, { details: { replyCode, name } });
}

/** A broker answered a publish with basic.nack. */
export function notTaken(what: string): LyrebirdError {
  return new LyrebirdError(
    'LB6003',
    `${what}: the broker did not take the message (basic.nack); is the queue full?`,
    { details: { name: 'NACKED' } },
  );
}

/** The reply code behind an error, or null. */
export function replyCodeOf(error: unknown): number | null {
  if (!(error instanceof LyrebirdError) || error.code !== 'LB6003') return null;
  const code = error.details['replyCode'];
  return typeof code === 'number' ? code : null;
}
