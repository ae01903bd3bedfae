import type { ApiDescriptor } from './api-descriptor.ts';
import { apiByKey } from './generated/apis.ts';
import {
  readRequestHeader as readRequestFields,
  readResponseHeader as readResponseFields,
  writeRequestHeader as writeRequestFields,
} from './generated/headers.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/*
 *   request header v1    api key int16, api version int16, correlation id int32, client id nullable string
 *   request header v2    the same, then tagged fields; the client id is not compact
 *   response header v0   correlation id int32
 *   response header v1   the same, then tagged fields
 *
 * Which version a header has follows from the API's key and version: see ApiDescriptor.
 */

export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** null: no such API is defined; only the fixed part and the client id were read. */
  readonly api: ApiDescriptor | null;
}

/**
 * Reads a request's header, leaving the reader at the body. Keys and versions that are not known are no error here:
 * ApiVersions has an answer for them.
 */
export function readRequestHeader(reader: Reader): RequestHeader {
  const start = reader.position;
  const apiKey = reader.int16('requestApiKey');
  const apiVersion = reader.int16('requestApiVersion');
  reader.position = start;
  const api = apiByKey(apiKey);
  const version = api === null ? 1 : api.requestHeaderVersion(apiVersion);
  const { correlationId, clientId } = readRequestFields(reader, version);
  return { apiKey, apiVersion, correlationId, clientId, api };
}

/** Writes a request's header: for clients. */
export function writeRequestHeader(
  writer: Writer,
  api: ApiDescriptor,
  header: { apiVersion: number; correlationId: number; clientId: string | null },
): void {
  const value = {
    requestApiKey: api.key,
    requestApiVersion: header.apiVersion,
    correlationId: header.correlationId,
    clientId: header.clientId,
  };
  writeRequestFields(writer, value, api.requestHeaderVersion(header.apiVersion));
}

/** Reads a response's header, leaving the reader at the body; returns the correlation id. For clients. */
export function readResponseHeader(reader: Reader, api: ApiDescriptor, version: number): number {
  return readResponseFields(reader, api.responseHeaderVersion(version)).correlationId;
}
