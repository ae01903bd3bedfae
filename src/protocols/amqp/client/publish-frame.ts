import { writeBasicPublish } from '../codec/generated/basic.ts';
import { writeBasicProperties, type BasicProperties } from '../codec/generated/basic-properties.ts';
import { Output } from '../codec/output.ts';
import { OutputPool } from '../codec/output-pool.ts';

/** The method frame of a publish, to be sent with any number of messages. */
export function publishFrame(
  channel: number,
  to: { readonly exchange: string; readonly routingKey: string; readonly mandatory: boolean },
): Buffer {
  return written((output) => writeBasicPublish(output, channel, { ...to, immediate: false }));
}

/** The property section of a message. */
export function propertySection(properties: BasicProperties): Buffer {
  return written((output) => writeBasicProperties(output, properties));
}

function written(write: (output: Output) => void): Buffer {
  const output = new Output(new OutputPool({ chunkBytes: 1024, unusedMax: 0 }), null);
  write(output);
  return output.toBuffer();
}
