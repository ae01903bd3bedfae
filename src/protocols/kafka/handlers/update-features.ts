import {
  readUpdateFeaturesRequest,
  UPDATE_FEATURES,
  writeUpdateFeaturesResponse,
} from '../codec/generated/update-features.ts';
import type { UpdateFeaturesRequestFeatureUpdate } from '../codec/generated/update-features.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { METADATA_VERSION } from './api-versions.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';

/** Features come with the broker's version: setting one to what it is succeeds, anything else does not. */
export const updateFeaturesHandler: ApiHandler = {
  api: UPDATE_FEATURES,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readUpdateFeaturesRequest(reader, version);
    if (!context.allows('alter', 'cluster', CLUSTER_NAME)) {
      context.respond(writeUpdateFeaturesResponse, {
        throttleTimeMs: 0,
        errorCode: KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
        errorMessage: null,
        results: [],
      });
      return;
    }
    const results = request.featureUpdates.map((update) => {
      const defect = findDefect(update);
      return {
        feature: update.feature,
        errorCode: defect === null ? KAFKA_ERROR.NONE : KAFKA_ERROR.INVALID_UPDATE_VERSION,
        errorMessage: defect,
      };
    });
    // Since version 2 an update fails or succeeds as a whole.
    const firstDefect = results.find((result) => result.errorCode !== KAFKA_ERROR.NONE);
    const whole = version >= 2 ? firstDefect : undefined;
    context.respond(writeUpdateFeaturesResponse, {
      throttleTimeMs: 0,
      errorCode: whole?.errorCode ?? KAFKA_ERROR.NONE,
      errorMessage: whole?.errorMessage ?? null,
      results,
    });
  },
};

function findDefect(update: UpdateFeaturesRequestFeatureUpdate): string | null {
  const { feature, maxVersionLevel: level } = update;
  if (feature !== METADATA_VERSION.name) {
    return `Invalid update version ${level} for feature ${feature}: the broker does not have this feature.`;
  }
  if (level === METADATA_VERSION.level) return null;
  return `Invalid update version ${level} for feature ${feature}: the broker is at ${METADATA_VERSION.level}, which follows from its version.`;
}
