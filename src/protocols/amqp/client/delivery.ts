import { cannotDecode } from '../codec/codec-error.ts';

/*
 * basic.deliver:
 *
 *   consumer tag (shortstr)  delivery tag (64)  bits: redelivered  exchange (shortstr)  routing key (shortstr)
 */

const TWO_32 = 0x1_0000_0000;
const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * A message that arrives, as ranges of bytes. One object serves any number of messages: valid only while its
 * listener is called. The buffers themselves are never written to again and may be kept.
 */
export class Delivery {
  deliveryTag = 0;
  redelivered = false;
  /** The bytes of the method, in which the names are. */
  method: Buffer = NO_BYTES;
  consumerTagStart = 0;
  consumerTagEnd = 0;
  exchangeStart = 0;
  exchangeEnd = 0;
  routingKeyStart = 0;
  routingKeyEnd = 0;
  /** The property section. */
  section: Buffer = NO_BYTES;
  sectionStart = 0;
  sectionEnd = 0;
  body: Buffer = NO_BYTES;
  bodyStart = 0;
  bodyEnd = 0;

  get exchange(): string {
    return this.method.toString('utf8', this.exchangeStart, this.exchangeEnd);
  }

  get routingKey(): string {
    return this.method.toString('utf8', this.routingKeyStart, this.routingKeyEnd);
  }

  /** Looks at the arguments of a basic.deliver, [start, end). */
  parseMethod(buffer: Buffer, start: number, end: number): void {
    // Bytes beyond the end are never used: each index is compared with the end before the result is believed.
    const tagEnd = start + 1 + (buffer[start] ?? 0);
    const exchangeStart = tagEnd + 10;
    if (exchangeStart > end) throw cannotDecode(buffer, start, end);
    const exchangeEnd = exchangeStart + (buffer[exchangeStart - 1] as number);
    const routingKeyStart = exchangeEnd + 1;
    if (routingKeyStart > end) throw cannotDecode(buffer, start, end);
    const routingKeyEnd = routingKeyStart + (buffer[exchangeEnd] as number);
    if (routingKeyEnd !== end) throw cannotDecode(buffer, start, end);
    this.method = buffer;
    this.consumerTagStart = start + 1;
    this.consumerTagEnd = tagEnd;
    this.deliveryTag = buffer.readUInt32BE(tagEnd) * TWO_32 + buffer.readUInt32BE(tagEnd + 4);
    this.redelivered = (buffer[tagEnd + 8] as number) !== 0;
    this.exchangeStart = exchangeStart;
    this.exchangeEnd = exchangeEnd;
    this.routingKeyStart = routingKeyStart;
    this.routingKeyEnd = routingKeyEnd;
  }

  setBody(buffer: Buffer, start: number, end: number): void {
    this.body = buffer;
    this.bodyStart = start;
    this.bodyEnd = end;
  }
}
