import type { ArgumentReader } from './argument-reader.ts';
import type { Output } from './output.ts';

/** What a method without arguments is read as. */
export type NoArguments = Readonly<Record<string, never>>;

export const NO_ARGUMENTS: NoArguments = Object.freeze({});

export const NO_BYTES = Buffer.alloc(0);

/** One method: what is known of it, and its functions. */
export interface MethodCodec<Arguments> {
  /** classId << 16 | methodId. */
  readonly id: number;
  /** As on the wire: `queue.declare-ok`. */
  readonly name: string;
  readonly from: 'client' | 'server' | 'both';
  /** A content header and body follow. */
  readonly hasContent: boolean;
  /** Reads the arguments; the reader stands behind the method id. */
  read(reader: ArgumentReader): Arguments;
  /** Writes a whole frame. */
  write(output: Output, channel: number, method: Arguments): void;
}

/** A method whose arguments are not known to the compiler. */
export type AnyMethodCodec = MethodCodec<unknown>;
