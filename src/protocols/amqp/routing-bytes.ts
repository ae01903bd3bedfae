/** Pairs kept; all are forgotten when there are more. */
const PAIRS_MAX = 4096;
const SHORTSTR_BYTES_MAX = 255;

/**
 * Exchange and routing key as two short strings, the way deliver, get-ok and return contain them. The same pair comes
 * again and again, so the bytes are kept. A routing key from a protocol without that limit is cut at 255 bytes.
 */
export class RoutingBytes {
  private readonly byExchange = new Map<string, Map<string, Buffer>>();
  private pairs = 0;
  private lastExchange = '';
  private lastKey = '';
  private lastBytes = encode('', '');

  of(exchange: string, routingKey: string): Buffer {
    if (routingKey === this.lastKey && exchange === this.lastExchange) return this.lastBytes;
    let byKey = this.byExchange.get(exchange);
    if (byKey === undefined) {
      byKey = new Map();
      this.byExchange.set(exchange, byKey);
    }
    let bytes = byKey.get(routingKey);
    if (bytes === undefined) {
      bytes = encode(exchange, routingKey);
      this.keep(byKey, routingKey, bytes);
    }
    this.lastExchange = exchange;
    this.lastKey = routingKey;
    this.lastBytes = bytes;
    return bytes;
  }

  private keep(byKey: Map<string, Buffer>, routingKey: string, bytes: Buffer): void {
    if (++this.pairs > PAIRS_MAX) {
      this.byExchange.clear();
      this.pairs = 0;
      return;
    }
    byKey.set(routingKey, bytes);
  }
}

function encode(exchange: string, routingKey: string): Buffer {
  const first = shortstr(exchange);
  const second = shortstr(routingKey);
  return Buffer.concat([Buffer.of(first.length), first, Buffer.of(second.length), second]);
}

function shortstr(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= SHORTSTR_BYTES_MAX) return bytes;
  let end = SHORTSTR_BYTES_MAX;
  // Not in the middle of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
