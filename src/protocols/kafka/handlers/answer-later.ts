import type { BodyEncoder, RequestContext } from './handler.ts';

/** Answers when the body is known. A failure is a bug or a broken disk: logged, and the connection is closed. */
export function answerLater<Body>(
  context: RequestContext,
  encode: BodyEncoder<Body>,
  body: Promise<Body>,
): void {
  body.then(
    (value) => context.respond(encode, value),
    (error: unknown) => {
      context.broker.logger.error('kafka.request.failed', 'a request failed', {
        apiKey: context.apiKey,
        version: context.version,
        err: error,
      });
      if (context.open) context.close('internal error');
    },
  );
}
