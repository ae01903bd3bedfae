/** A request that cannot be served, as RabbitMQ tells it: `{"error": ..., "reason": ...}`. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: 400 | 401 | 404 | 405 | 409 | 413 | 500 | 503;
  readonly error: string;
  /** Text, or what RabbitMQ puts in its place. */
  readonly reason: unknown;

  constructor(status: HttpError['status'], error: string, reason: unknown) {
    super(typeof reason === 'string' ? reason : error);
    this.status = status;
    this.error = error;
    this.reason = reason;
  }
}

export const badRequest = (reason: unknown): HttpError => new HttpError(400, 'bad_request', reason);
export const notAuthorised = (reason: string): HttpError =>
  new HttpError(401, 'not_authorised', reason);
export const notFound = (): HttpError => new HttpError(404, 'Object Not Found', 'Not Found');
export const accessRefused = (): HttpError => notAuthorised('Access refused.');
export const internalError = (reason: string): HttpError =>
  new HttpError(500, 'internal_error', reason);

/** Members that a body lacks, in the words that scripts know. */
export function missingKeys(names: readonly string[]): HttpError {
  return badRequest(`[${names.map((name) => `{key_missing,${name}}`).join(',\n ')}]`);
}
