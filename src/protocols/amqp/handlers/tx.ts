import { createDeferred } from '../../../base/deferred.ts';
import type { QueueRegistry } from '../../../core/queue-types.ts';
import type { AmqpChannel } from '../channel.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import { readConfirmSelect, writeConfirmSelectOk } from '../codec/generated/confirm.ts';
import {
  readTxSelect,
  writeTxCommitOk,
  writeTxRollbackOk,
  writeTxSelectOk,
} from '../codec/generated/tx.ts';
import { internalError, preconditionFailed } from '../errors.ts';
import { route } from '../publish.ts';
import type { Transaction } from '../transaction.ts';

export function confirmSelect(channel: AmqpChannel, reader: ArgumentReader): void {
  const { noWait } = readConfirmSelect(reader);
  channel.selectConfirms();
  if (!noWait) writeConfirmSelectOk(channel.connection.startOutput(), channel.number);
}

export function txSelect(channel: AmqpChannel, reader: ArgumentReader): void {
  readTxSelect(reader);
  channel.selectTransactions();
  writeTxSelectOk(channel.connection.startOutput(), channel.number);
}

/** Everything staged becomes one commit; the answer waits until it is durable. */
export function txCommit(channel: AmqpChannel): void {
  const transaction = transactionOf(channel);
  const { queues } = channel.services;
  let refused = false;
  queues.atomically(() => {
    for (const { message, mandatory } of transaction.publishes) {
      if (route(channel, message, mandatory)?.rejected === true) refused = true;
    }
    transaction.commitSettlements(channel.unsettled);
  });
  channel.connection.held(-transaction.heldBytes);
  transaction.clear();
  channel.later(committed(queues), () => {
    if (refused) throw preconditionFailed('partial tx completion');
    writeTxCommitOk(channel.connection.startOutput(), channel.number);
    channel.resumeConsumers();
  });
}

export function txRollback(channel: AmqpChannel): void {
  const transaction = transactionOf(channel);
  channel.connection.held(-transaction.heldBytes);
  transaction.rollBackSettlements(channel.unsettled);
  transaction.clear();
  writeTxRollbackOk(channel.connection.startOutput(), channel.number);
}

function transactionOf(channel: AmqpChannel): Transaction {
  if (channel.transaction === null) throw preconditionFailed('channel is not transactional');
  return channel.transaction;
}

/** Resolves when what was done in this turn is durable. */
function committed(queues: QueueRegistry): Promise<void> {
  const done = createDeferred<void>();
  queues.whenCommitted(queues.ticket, {
    onCommitted: () => done.resolve(),
    onCommitFailed: () => done.reject(internalError('the transaction could not be stored')),
  });
  return done.promise;
}
