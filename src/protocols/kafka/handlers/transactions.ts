import {
  DESCRIBE_TRANSACTIONS,
  readDescribeTransactionsRequest,
  writeDescribeTransactionsResponse,
} from '../codec/generated/describe-transactions.ts';
import {
  LIST_TRANSACTIONS,
  readListTransactionsRequest,
  writeListTransactionsResponse,
} from '../codec/generated/list-transactions.ts';
import { KAFKA_ERROR } from '../errors.ts';
import type { ApiHandler } from './handler.ts';

const STATES = new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]);

/** There are no transactions: the list is empty, whatever is asked for. */
export const listTransactionsHandler: ApiHandler = {
  api: LIST_TRANSACTIONS,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readListTransactionsRequest(reader, version);
    context.respond(writeListTransactionsResponse, {
      throttleTimeMs: 0,
      errorCode: KAFKA_ERROR.NONE,
      unknownStateFilters: request.stateFilters.filter((state) => !STATES.has(state)),
      transactionStates: [],
    });
  },
};

/** There are no transactions: each that is asked for is unknown. */
export const describeTransactionsHandler: ApiHandler = {
  api: DESCRIBE_TRANSACTIONS,
  minVersion: 0,
  maxVersion: 0,
  handle(context, reader, version): void {
    const request = readDescribeTransactionsRequest(reader, version);
    context.respond(writeDescribeTransactionsResponse, {
      throttleTimeMs: 0,
      transactionStates: request.transactionalIds.map((transactionalId) => ({
        errorCode: context.allows('describe', 'transactional-id', transactionalId)
          ? KAFKA_ERROR.TRANSACTIONAL_ID_NOT_FOUND
          : KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        transactionalId,
        transactionState: '',
        transactionTimeoutMs: 0,
        transactionStartTimeMs: 0,
        producerId: 0,
        producerEpoch: 0,
        topics: [],
      })),
    });
  },
};
