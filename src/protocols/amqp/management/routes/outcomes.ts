import type { ChangeOutcome } from '../../../../security/outcome.ts';
import { badRequest, notFound } from '../http-error.ts';
import { CREATED, NO_CONTENT, type Reply } from '../reply.ts';

/** 201 for what is new, 204 for what was changed; 400 for what cannot be. */
export function saved(outcome: ChangeOutcome, unknownReason = 'vhost_or_user_not_found'): Reply {
  switch (outcome.status) {
    case 'ok':
      return outcome.created ? CREATED : NO_CONTENT;
    case 'unknown':
      throw badRequest(unknownReason);
    case 'invalid':
      throw badRequest(outcome.message);
    default:
      return outcome satisfies never;
  }
}

/** 204, or 404 when it was not there. */
export function removed(outcome: ChangeOutcome): Reply {
  if (outcome.status === 'ok') return NO_CONTENT;
  if (outcome.status === 'unknown') throw notFound();
  throw badRequest(outcome.message);
}

/** Settings of policies and parameters that were refused, as RabbitMQ says it. */
export function validated(outcome: ChangeOutcome): Reply {
  if (outcome.status === 'invalid') throw badRequest(`Validation failed\n\n${outcome.message}\n`);
  return saved(outcome, 'vhost_not_found');
}
