import { cannotDecode } from './codec-error.ts';

/*
 * The method frames of which there are millions, read in place:
 *
 *   basic.publish    ticket (16)  exchange (shortstr)  routing key (shortstr)  bits: mandatory, immediate
 *   basic.ack        delivery tag (64)  bits: multiple
 *   basic.nack       delivery tag (64)  bits: multiple, requeue
 *   basic.reject     delivery tag (64)  bits: requeue
 */

const TWO_32 = 0x1_0000_0000;

/** Where the arguments of a basic.publish are. One object serves any number of methods. */
export class PublishArguments {
  exchangeStart = 0;
  exchangeEnd = 0;
  routingKeyStart = 0;
  routingKeyEnd = 0;
  mandatory = false;
  immediate = false;

  /** Both names with their lengths: what deliver, get-ok and return contain of them, to be copied as it is. */
  get routingStart(): number {
    return this.exchangeStart - 1;
  }

  get routingEnd(): number {
    return this.routingKeyEnd;
  }

  /** Looks at [start, end), which begins behind the method id. */
  parse(buffer: Buffer, start: number, end: number): void {
    // Bytes beyond the end are never used: each index is compared with the end before the result is believed.
    const exchangeStart = start + 3;
    const exchangeEnd = exchangeStart + (buffer[start + 2] ?? 0);
    const routingKeyStart = exchangeEnd + 1;
    const routingKeyEnd =
      routingKeyStart + (exchangeEnd < end ? (buffer[exchangeEnd] as number) : 0);
    if (routingKeyEnd + 1 !== end) throw cannotDecode(buffer, start, end);
    const bits = buffer[routingKeyEnd] as number; // the last byte before the end
    this.exchangeStart = exchangeStart;
    this.exchangeEnd = exchangeEnd;
    this.routingKeyStart = routingKeyStart;
    this.routingKeyEnd = routingKeyEnd;
    this.mandatory = (bits & 1) !== 0;
    this.immediate = (bits & 2) !== 0;
  }
}

/** The arguments of basic.ack, basic.nack or basic.reject. One object serves any number of methods. */
export class SettleArguments {
  /** Beyond 2^53 the nearest double. */
  deliveryTag = 0;
  multiple = false;
  requeue = false;

  parseAck(buffer: Buffer, start: number, end: number): void {
    const bits = this.parse(buffer, start, end);
    this.multiple = (bits & 1) !== 0;
    this.requeue = false;
  }

  parseNack(buffer: Buffer, start: number, end: number): void {
    const bits = this.parse(buffer, start, end);
    this.multiple = (bits & 1) !== 0;
    this.requeue = (bits & 2) !== 0;
  }

  parseReject(buffer: Buffer, start: number, end: number): void {
    const bits = this.parse(buffer, start, end);
    this.multiple = false;
    this.requeue = (bits & 1) !== 0;
  }

  private parse(buffer: Buffer, start: number, end: number): number {
    if (end - start !== 9) throw cannotDecode(buffer, start, end);
    const high = long(buffer, start);
    const low = long(buffer, start + 4);
    this.deliveryTag = high === 0 ? low : high * TWO_32 + low;
    return buffer[start + 8] as number; // nine bytes are there
  }
}

/** 32 bits that are known to be there. */
const long = (buffer: Buffer, at: number): number =>
  (((buffer[at] as number) << 24) |
    ((buffer[at + 1] as number) << 16) |
    ((buffer[at + 2] as number) << 8) |
    (buffer[at + 3] as number)) >>>
  0;
