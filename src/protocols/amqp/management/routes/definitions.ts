import { exportDefinitions } from '../../definitions/export-definitions.ts';
import { importDefinitions } from '../../definitions/import-definitions.ts';
import type { Call } from '../call.ts';
import { badRequest, notFound } from '../http-error.ts';
import { isObject } from '../json.ts';
import { MANAGEMENT_LIMITS } from '../limits.ts';
import type { Management } from '../management.ts';
import { json, NO_CONTENT, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';

export const DEFINITION_ROUTES: readonly Route[] = [
  { path: '/definitions', role: 'administrator', GET: exportAll, POST: importAll },
  { path: '/all-configuration', role: 'administrator', GET: exportAll, POST: importAll },
  {
    path: '/definitions/:vhost',
    role: { GET: 'policymaker', POST: 'administrator' },
    GET: exportAll,
    POST: importAll,
  },
];

export function definitionsPorts({ broker, queues, router }: Management) {
  return { broker, queues, router };
}

function exportAll(call: Call): Reply {
  const { management } = call;
  const vhost = call.has('vhost') ? call.vhost : null;
  const version = management.announcedVersion;
  const document = exportDefinitions(definitionsPorts(management), vhost, { version });
  if (document === null) throw notFound();
  return json(document);
}

async function importAll(call: Call): Promise<Reply> {
  const text = fileIn(call, await call.text(MANAGEMENT_LIMITS.definitionsBytesMax));
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw badRequest('failed_to_parse_json');
  }
  if (!isObject(document)) throw badRequest('failed_to_parse_json');
  const vhost = call.has('vhost') ? call.vhost : null;
  const outcome = await importDefinitions(definitionsPorts(call.management), document, vhost);
  if (outcome.status === 'invalid') throw badRequest(outcome.message);
  return NO_CONTENT;
}

/** The document itself, or the first part of a form that a page uploads. */
function fileIn(call: Call, text: string): string {
  const type = call.header('content-type') ?? '';
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary === undefined) return text;
  const parts = text.split(`--${boundary}`);
  const file = parts.find((part) => /name="file"/i.test(part)) ?? '';
  const start = file.indexOf('\r\n\r\n');
  return start < 0 ? '' : file.slice(start + 4).replace(/\r\n$/, '');
}
