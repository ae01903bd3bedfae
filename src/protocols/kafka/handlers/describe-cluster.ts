import {
  DESCRIBE_CLUSTER,
  readDescribeClusterRequest,
  writeDescribeClusterResponse,
} from '../codec/generated/describe-cluster.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { authorizedClusterOperations, OPERATIONS_NOT_ASKED } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';

const BROKERS = 1;

/** Tells who serves: this broker. */
export const describeClusterHandler: ApiHandler = {
  api: DESCRIBE_CLUSTER,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readDescribeClusterRequest(reader, version);
    const address = context.advertisedAddress();
    const wrongEndpoint = request.endpointType !== BROKERS;
    context.respond(writeDescribeClusterResponse, {
      throttleTimeMs: 0,
      errorCode: wrongEndpoint ? KAFKA_ERROR.MISMATCHED_ENDPOINT_TYPE : KAFKA_ERROR.NONE,
      errorMessage: wrongEndpoint ? 'This listener serves brokers, not controllers.' : null,
      endpointType: BROKERS,
      clusterId: context.broker.clusterId,
      controllerId: context.broker.nodeId,
      brokers: wrongEndpoint
        ? []
        : [
            {
              brokerId: context.broker.nodeId,
              host: address.host,
              port: address.port,
              rack: null,
              isFenced: false,
            },
          ],
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? authorizedClusterOperations(context)
        : OPERATIONS_NOT_ASKED,
    });
  },
};
