import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from './api-error.ts';

export const nameSchema = z.string().min(1).max(249);
export const settingsSchema = z.record(z.string().max(256), z.string().max(16_384));
export const partitionsSchema = z.array(z.int().min(0)).max(100_000);

/** The request's JSON body, checked. */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  let json: unknown;
  try {
    json = await context.req.json();
  } catch {
    throw new ApiError('invalid-request', 'the body is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ApiError('invalid-request', problemsOf(parsed.error));
}

function problemsOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
