import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNodeFileSystem } from './node-file-system.ts';

async function newFolder(t: TestContext, name = ''): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lyrebird-fs-'));
  t.after(() => rm(folder, { recursive: true }));
  if (name === '') return folder;
  await mkdir(join(folder, name));
  return join(folder, name);
}

/** A process that takes the lock, says so, and stays. */
async function holdElsewhere(
  t: TestContext,
  path: string,
): Promise<{ pid: number; kill(): Promise<void> }> {
  const module = new URL('node-file-system.ts', import.meta.url).href;
  const code = `
    const { createNodeFileSystem } = await import(${JSON.stringify(module)});
    const lock = await createNodeFileSystem().lock(${JSON.stringify(path)});
    console.log('heldBy' in lock ? 'refused' : 'held');
    setInterval(() => {}, 1000);`;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.after(kill);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(line.toString().trim(), 'held');
  return { pid: child.pid!, kill };
}

describe('lock', () => {
  it('is held once, and free after its release', async (t) => {
    const path = join(await newFolder(t), 'lock');
    const fileSystem = createNodeFileSystem();
    const first = await fileSystem.lock(path);
    assert.ok('release' in first);
    assert.deepEqual(await createNodeFileSystem().lock(path), { heldBy: process.pid });
    await first.release();
    await first.release();
    const second = await fileSystem.lock(path);
    assert.ok('release' in second);
    await second.release();
  });

  it('names the process that holds it, and is free when that was killed', async (t) => {
    const path = join(await newFolder(t), 'lock');
    const holder = await holdElsewhere(t, path);
    assert.deepEqual(await createNodeFileSystem().lock(path), { heldBy: holder.pid });
    await holder.kill();
    const lock = await createNodeFileSystem().lock(path);
    assert.ok('release' in lock);
    await lock.release();
  });

  it(
    'works where paths are longer than a socket name may be',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const path = join(await newFolder(t, 'x'.repeat(200)), 'lock');
      const first = await createNodeFileSystem().lock(path);
      assert.ok('release' in first);
      assert.deepEqual(await createNodeFileSystem().lock(path), { heldBy: process.pid });
      await first.release();
    },
  );
});

describe('files', () => {
  it('are written in pieces and read back, up to their end', async (t) => {
    const path = join(await newFolder(t), 'file');
    const fileSystem = createNodeFileSystem();
    assert.equal(await fileSystem.exists(path), false);
    const file = await fileSystem.open(path, { create: true, exclusive: true });
    await file.write([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cde')], 3);
    file.writeNow!([Buffer.from('X'), Buffer.from('Y')], 1);
    await file.write([], 0);
    await file.sync();
    const buffer = Buffer.alloc(20, 46);
    assert.equal(await file.read(buffer, 20, 0), 8);
    assert.equal(buffer.toString('latin1', 0, 9), '\0XYabcde.');
    assert.equal(await file.read(buffer, 2, 4), 2);
    assert.equal(buffer.toString('latin1', 0, 2), 'bc');
    await file.truncate(4);
    assert.equal(await file.size(), 4);
    await file.close();
    await file.close();
    await assert.rejects(fileSystem.open(path, { create: true, exclusive: true }), {
      code: 'EEXIST',
    });
    await assert.rejects(fileSystem.open(`${path}2`, { create: false }), { code: 'ENOENT' });
    await fileSystem.rename(path, `${path}2`);
    assert.equal(await fileSystem.exists(`${path}2`), true);
    await fileSystem.syncDirectory(join(path, '..'));
    await fileSystem.remove(`${path}2`);
    assert.deepEqual(await fileSystem.list(join(path, '..')), []);
    const { totalBytes, freeBytes } = await fileSystem.space(join(path, '..'));
    assert.ok(freeBytes > 0 && freeBytes <= totalBytes);
  });
});
