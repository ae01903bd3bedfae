import { LyrebirdError } from '../../../base/errors.ts';

/** Where in a message the codec stopped. */
export interface CodecErrorDetails {
  /** Message name and version, such as `ProduceRequest v9`. */
  readonly message: string;
  /** Path of the field in the message's definition, such as `topicData.partitionData.index`. */
  readonly field: string;
  /** Byte position in the buffer that was being read or written. */
  readonly position: number;
}

/**
 * The only error that reading a message throws: the bytes are not what the definition says. Fatal for the
 * connection, because nothing after the fault can be trusted.
 */
export class CodecError extends LyrebirdError {
  override readonly name = 'CodecError';
  readonly field: string;
  readonly position: number;

  constructor(problem: string, details: CodecErrorDetails) {
    const place = details.field === '' ? '' : `, field ${details.field}`;
    super('LB5001', `${details.message}${place}, byte ${details.position}: ${problem}`, {
      details: { ...details },
    });
    this.field = details.field;
    this.position = details.position;
  }
}
