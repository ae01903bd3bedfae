import {
  INIT_PRODUCER_ID,
  readInitProducerIdRequest,
  writeInitProducerIdResponse,
} from '../codec/generated/init-producer-id.ts';
import type { InitProducerIdResponse } from '../codec/generated/init-producer-id.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Gives idempotent producers an id. A producer that lost its place simply gets a new one. */
export const initProducerIdHandler: ApiHandler = {
  api: INIT_PRODUCER_ID,
  minVersion: 0,
  maxVersion: 5,
  handle(context, reader, version): void {
    const request = readInitProducerIdRequest(reader, version);
    if (request.transactionalId !== null) {
      // There are no transactions: an error that producers do not retry, so that the application learns of it.
      const error =
        request.transactionalId === ''
          ? KAFKA_ERROR.INVALID_REQUEST
          : KAFKA_ERROR.UNSUPPORTED_VERSION;
      context.respond(writeInitProducerIdResponse, failed(error));
      return;
    }
    if (!context.allows('idempotent-write', 'cluster', CLUSTER_NAME)) {
      context.respond(
        writeInitProducerIdResponse,
        failed(KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED),
      );
      return;
    }
    answerLater(context, writeInitProducerIdResponse, allocate(context));
  },
};

async function allocate(context: RequestContext): Promise<InitProducerIdResponse> {
  const producerId = await context.broker.allocateProducerId();
  return { throttleTimeMs: 0, errorCode: KAFKA_ERROR.NONE, producerId, producerEpoch: 0 };
}

function failed(errorCode: number): InitProducerIdResponse {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 };
}
