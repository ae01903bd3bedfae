/*
 * A frame:
 *
 *   type (8 bits)  channel (16)  payload bytes (32)  payload ...  frame end (8): 206
 *
 *   1 method     class id (16), method id (16), arguments
 *   2 header     class id (16), weight (16): 0, body bytes (64), property flags (16 ...), properties
 *   3 body       bytes
 *   8 heartbeat  nothing, on channel 0
 */

export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;
export const FRAME_END = 206;
export const FRAME_HEADER_BYTES = 7;
/** What a frame costs beside its payload. */
export const FRAME_OVERHEAD_BYTES = 8;
/** What precedes the property flags in the payload of a header frame. */
export const CONTENT_PREFIX_BYTES = 12;
/** The only class with content. */
export const BASIC_CLASS = 60;
