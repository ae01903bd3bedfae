import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** What a definition says of an API as a whole. Versions are those the codec reads and writes. */
export interface ApiDescriptor {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** First version with compact lengths and tagged fields; NEVER_FLEXIBLE when there is none. */
  readonly flexibleFrom: number;
  requestHeaderVersion(version: number): 1 | 2;
  responseHeaderVersion(version: number): 0 | 1;
}

/** An API with its four functions, for code that treats all APIs alike. */
export interface ApiCodec<Request, Response> {
  readonly descriptor: ApiDescriptor;
  readRequest(reader: Reader, version: number): Request;
  writeRequest(writer: Writer, value: Request, version: number): void;
  readResponse(reader: Reader, version: number): Response;
  writeResponse(writer: Writer, value: Response, version: number): void;
}

/** Above every version an int16 can carry. */
export const NEVER_FLEXIBLE = 0x8000;

const API_VERSIONS_KEY = 18;

class Api implements ApiDescriptor {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleFrom: number;

  constructor(key: number, name: string, versions: ApiVersionRange) {
    this.key = key;
    this.name = name;
    this.minVersion = versions.min;
    this.maxVersion = versions.max;
    this.flexibleFrom = versions.flexibleFrom;
  }

  requestHeaderVersion(version: number): 1 | 2 {
    return version >= this.flexibleFrom ? 2 : 1;
  }

  /** A client that asks for ApiVersions does not know yet what the broker speaks: its header stays at 0. */
  responseHeaderVersion(version: number): 0 | 1 {
    return version >= this.flexibleFrom && this.key !== API_VERSIONS_KEY ? 1 : 0;
  }
}

export interface ApiVersionRange {
  readonly min: number;
  readonly max: number;
  readonly flexibleFrom: number;
}

export function describeApi(key: number, name: string, versions: ApiVersionRange): ApiDescriptor {
  return new Api(key, name, versions);
}
