import { AmqpError } from '../errors.ts';
import { badRequest } from './http-error.ts';

/** What a channel refuses is refused here, in its words. */
export async function asOnChannel<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AmqpError) throw badRequest(explanation(error));
    throw error;
  }
}

/** Without the name of the code: `PRECONDITION_FAILED - `. */
export function explanation({ replyText }: AmqpError): string {
  const dash = replyText.indexOf(' - ');
  return dash < 0 ? replyText : replyText.slice(dash + 3);
}
