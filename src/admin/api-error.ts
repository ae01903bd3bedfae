import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { LyrebirdError } from '../base/errors.ts';
import type { GroupError } from '../core/group-types.ts';
import type { TopicOutcome, TopicView } from '../core/types.ts';
import type { ApiErrorCode, ErrorBody } from './api.ts';

const STATUS = {
  'invalid-request': 400,
  forbidden: 403,
  'not-found': 404,
  exists: 409,
  conflict: 409,
  'too-large': 413,
  limit: 422,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<Exclude<ApiErrorCode, `LB${number}`>, ContentfulStatusCode>;

type Word = keyof typeof STATUS;

/** A request that cannot be served, as its answer. */
export class ApiError extends Error {
  readonly status: ContentfulStatusCode;
  readonly body: ErrorBody;

  constructor(code: Word, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = STATUS[code];
    this.body = { error: details === undefined ? { code, message } : { code, message, details } };
  }
}

/** The answer to any failure; null when it is nobody's fault but ours. */
export function errorAnswer(
  error: unknown,
): { status: ContentfulStatusCode; body: ErrorBody } | null {
  if (error instanceof ApiError) return { status: error.status, body: error.body };
  if (error instanceof LyrebirdError) {
    const { code, message, details } = error;
    return { status: 503, body: { error: { code, message, details } } };
  }
  return null;
}

/** The outcome's topic, or the error that it stands for. */
export function topicOf(outcome: TopicOutcome, name: string): TopicView {
  switch (outcome.status) {
    case 'ok':
      return outcome.topic;
    case 'exists':
      throw new ApiError('exists', `topic ${name} exists`);
    case 'unknown':
      throw new ApiError('not-found', `there is no topic ${name}`);
    case 'invalid-name':
    case 'invalid-partitions':
      throw new ApiError('invalid-request', outcome.message);
    case 'limit':
      throw new ApiError('limit', outcome.message);
    case 'busy':
      throw new ApiError('conflict', `topic ${name} is being changed by somebody else; try again`);
    case 'failed':
      throw new ApiError('unavailable', outcome.message);
    default:
      return outcome satisfies never;
  }
}

/** Throws unless the coordinator said 'none'. */
export function expectNoGroupError(error: GroupError, group: string): void {
  if (error === 'none') return;
  throw new ApiError(groupErrorWord(error), groupErrorText(error, group));
}

export function groupErrorText(error: GroupError, group: string): string {
  switch (error) {
    case 'group-not-found':
      return `there is no group ${group}`;
    case 'non-empty-group':
    case 'unknown-member':
      return `group ${group} has active members; stop them first`;
    case 'subscribed-to-topic':
      return `group ${group} consumes this topic now`;
    default:
      return `group ${group}: ${error}`;
  }
}

function groupErrorWord(error: GroupError): Word {
  switch (error) {
    case 'group-not-found':
      return 'not-found';
    case 'invalid-group-id':
    case 'metadata-too-large':
      return 'invalid-request';
    case 'coordinator-unavailable':
    case 'storage-failed':
      return 'unavailable';
    default:
      return 'conflict';
  }
}
