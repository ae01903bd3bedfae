import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { loadClasses, loadReplyCodes } from './definition.ts';
import { emitAll } from './emit.ts';

/*
 * Writes src/protocols/amqp/codec/generated from schemas/amqp.
 *
 *   node --import tsx tools/amqp-codec/generate.ts            writes what differs, removes what is left over
 *   node --import tsx tools/amqp-codec/generate.ts --check    exits 1 and names the files that differ
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const schemas = join(root, 'schemas/amqp');
const target = join(root, 'src/protocols/amqp/codec/generated');

const check = process.argv.includes('--check');
mkdirSync(target, { recursive: true });
const options = { ...(await resolveConfig(join(target, 'methods.ts'))), parser: 'typescript' };
const stale: string[] = [];
const emitted = emitAll(loadClasses(schemas), loadReplyCodes(schemas));

for (const [name, text] of emitted) {
  const formatted = await format(text, options);
  const file = join(target, name);
  if (readExisting(file) === formatted) continue;
  stale.push(name);
  if (!check) writeFileSync(file, formatted);
}
for (const name of readdirSync(target)) {
  if (!name.endsWith('.ts') || emitted.has(name)) continue;
  stale.push(name);
  if (!check) rmSync(join(target, name));
}

if (check && stale.length > 0) {
  process.stderr.write(`stale, run tools/amqp-codec/generate.ts: ${stale.join(', ')}\n`);
  process.exitCode = 1;
} else if (!check) {
  process.stdout.write(`${emitted.size} files, ${stale.length} changed\n`);
}

function readExisting(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
