import {
  API_VERSIONS,
  readApiVersionsRequest,
  writeApiVersionsResponse,
} from '../codec/generated/api-versions.ts';
import type { ApiVersionsResponse } from '../codec/generated/api-versions.ts';
import { KAFKA_ERROR } from '../errors.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

export const API_VERSIONS_KEY = API_VERSIONS.key;

/** The level of Kafka's metadata that the served APIs correspond to: Kafka 4.2 (tools show it as a version). */
export const METADATA_VERSION = { name: 'metadata.version', min: 7, level: 29 } as const;

/** What Kafka accepts as the name and version of client software (KIP-511). */
const SOFTWARE_TEXT = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** Tells which APIs and versions are served: the first request of nearly every client. */
export const apiVersionsHandler: ApiHandler = {
  api: API_VERSIONS,
  minVersion: 0,
  maxVersion: 4,
  handle(context, reader, version): void {
    const request = readApiVersionsRequest(reader, version);
    const named =
      version < 3 ||
      (SOFTWARE_TEXT.test(request.clientSoftwareName) &&
        SOFTWARE_TEXT.test(request.clientSoftwareVersion));
    if (!named) {
      context.respond(writeApiVersionsResponse, errorResponse(KAFKA_ERROR.INVALID_REQUEST));
      return;
    }
    context.respond(writeApiVersionsResponse, servedVersions(context, KAFKA_ERROR.NONE));
  },
};

/**
 * Answers a version nobody knows yet. The context's version is 0, whose layout every client reads; with the list
 * at hand the client asks again in a version that is served.
 */
export function respondUnsupportedApiVersions(context: RequestContext): void {
  context.respond(
    writeApiVersionsResponse,
    servedVersions(context, KAFKA_ERROR.UNSUPPORTED_VERSION),
  );
}

function servedVersions(context: RequestContext, errorCode: number): ApiVersionsResponse {
  return {
    ...errorResponse(errorCode),
    apiKeys: context.services.apiRanges.map((range) => ({
      apiKey: range.key,
      minVersion: range.minVersion,
      maxVersion: range.maxVersion,
    })),
    supportedFeatures: [
      {
        name: METADATA_VERSION.name,
        minVersion: METADATA_VERSION.min,
        maxVersion: METADATA_VERSION.level,
      },
    ],
    finalizedFeaturesEpoch: 0,
    finalizedFeatures: [
      {
        name: METADATA_VERSION.name,
        minVersionLevel: METADATA_VERSION.level,
        maxVersionLevel: METADATA_VERSION.level,
      },
    ],
  };
}

function errorResponse(errorCode: number): ApiVersionsResponse {
  return {
    errorCode,
    apiKeys: [],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  };
}
