import { LyrebirdError } from '../../../base/errors.ts';
import { errorName } from '../errors.ts';

/** A Kafka error code that the request as a whole, or the one thing it was about, was answered with. */
export function refused(
  what: string,
  errorCode: number,
  message: string | null = null,
): LyrebirdError {
  const name = errorName(errorCode);
  return new LyrebirdError('LB6003', `${what}: ${name}${message === null ? '' : ` (${message})`}`, {
    details: { errorCode, name },
  });
}

/** The Kafka error code behind an error, or null. */
export function refusalCode(error: unknown): number | null {
  if (!(error instanceof LyrebirdError) || error.code !== 'LB6003') return null;
  const code = error.details['errorCode'];
  return typeof code === 'number' ? code : null;
}
