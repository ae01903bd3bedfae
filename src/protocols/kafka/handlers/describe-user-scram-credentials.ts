import {
  DESCRIBE_USER_SCRAM_CREDENTIALS,
  readDescribeUserScramCredentialsRequest,
  writeDescribeUserScramCredentialsResponse,
} from '../codec/generated/describe-user-scram-credentials.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';

/** Nobody has credentials. Tools ask when they describe a user, and want to hear it user by user. */
export const describeUserScramCredentialsHandler: ApiHandler = {
  api: DESCRIBE_USER_SCRAM_CREDENTIALS,
  minVersion: 0,
  maxVersion: 0,
  handle(context, reader, version): void {
    const request = readDescribeUserScramCredentialsRequest(reader, version);
    const allowed = context.allows('describe', 'cluster', CLUSTER_NAME);
    context.respond(writeDescribeUserScramCredentialsResponse, {
      throttleTimeMs: 0,
      errorCode: allowed ? KAFKA_ERROR.NONE : KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: null,
      results: (allowed ? (request.users ?? []) : []).map(({ name }) => ({
        user: name,
        errorCode: KAFKA_ERROR.RESOURCE_NOT_FOUND,
        errorMessage: `Attempt to describe a user credential that does not exist: ${name}`,
        credentialInfos: [],
      })),
    });
  },
};
