import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import { ADMIN_LIMITS } from './limits.ts';

export const nameSchema = z.string().min(1).max(249);
export const settingsSchema = z.record(z.string().max(256), z.string().max(16_384));
export const partitionsSchema = z.array(z.int().min(0)).max(100_000);

/** The request's JSON body, checked. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(context);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ApiError('invalid-request', 'the body is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ApiError('invalid-request', problemsOf(parsed.error));
}

/** Stops reading a body that is too large as soon as that is known. */
async function readText(context: Context): Promise<string> {
  const { body } = context.req.raw;
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ADMIN_LIMITS.bodyBytesMax) {
      // The rest is never read, so the connection cannot be used again: the client must not try.
      context.header('connection', 'close');
      throw new ApiError('too-large', `the body is above ${ADMIN_LIMITS.bodyBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function problemsOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
