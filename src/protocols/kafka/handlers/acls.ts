import {
  CREATE_ACLS,
  readCreateAclsRequest,
  writeCreateAclsResponse,
} from '../codec/generated/create-acls.ts';
import {
  DELETE_ACLS,
  readDeleteAclsRequest,
  writeDeleteAclsResponse,
} from '../codec/generated/delete-acls.ts';
import {
  DESCRIBE_ACLS,
  readDescribeAclsRequest,
  writeDescribeAclsResponse,
} from '../codec/generated/describe-acls.ts';
import { KAFKA_ERROR } from '../errors.ts';
import type { ApiHandler } from './handler.ts';

/** What Kafka without an authorizer answers; tools know it as "security is disabled". */
const REFUSAL = {
  errorCode: KAFKA_ERROR.SECURITY_DISABLED,
  errorMessage: 'No Authorizer is configured.',
} as const;

export const describeAclsHandler: ApiHandler = {
  api: DESCRIBE_ACLS,
  minVersion: 0,
  maxVersion: 3,
  handle(context, reader, version): void {
    readDescribeAclsRequest(reader, version);
    context.respond(writeDescribeAclsResponse, { throttleTimeMs: 0, ...REFUSAL, resources: [] });
  },
};

export const createAclsHandler: ApiHandler = {
  api: CREATE_ACLS,
  minVersion: 0,
  maxVersion: 3,
  handle(context, reader, version): void {
    const request = readCreateAclsRequest(reader, version);
    context.respond(writeCreateAclsResponse, {
      throttleTimeMs: 0,
      results: request.creations.map(() => REFUSAL),
    });
  },
};

export const deleteAclsHandler: ApiHandler = {
  api: DELETE_ACLS,
  minVersion: 0,
  maxVersion: 3,
  handle(context, reader, version): void {
    const request = readDeleteAclsRequest(reader, version);
    context.respond(writeDeleteAclsResponse, {
      throttleTimeMs: 0,
      filterResults: request.filters.map(() => ({ ...REFUSAL, matchingAcls: [] })),
    });
  },
};
