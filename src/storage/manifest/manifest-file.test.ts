import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { SeededRandom } from '../../base/random.ts';
import { createNodeFileSystem } from '../node-file-system.ts';
import { ManifestFile, SECTION_HEADER_BYTES } from './manifest-file.ts';

async function setUp(t: TestContext): Promise<{ path: string; manifest: () => ManifestFile }> {
  const folder = await mkdtemp(join(tmpdir(), 'lyrebird-manifest-'));
  const made: ManifestFile[] = [];
  t.after(async () => {
    for (const manifest of made) await manifest.close();
    await rm(folder, { recursive: true });
  });
  const fileSystem = createNodeFileSystem();
  const manifest = (): ManifestFile => {
    const made1 = new ManifestFile({ fileSystem, random: new SeededRandom(1), folder });
    made.push(made1);
    return made1;
  };
  return { path: join(folder, 'manifest'), manifest };
}

/** A manifest with a full section and two more. */
async function written(t: TestContext): Promise<{ path: string; manifest: () => ManifestFile }> {
  const { path, manifest } = await setUp(t);
  const first = manifest();
  assert.equal(await first.load(), null);
  await first.writeFull([Buffer.from('full')]);
  await first.append([Buffer.from('one')]);
  await first.append([Buffer.from('two')]);
  await first.close();
  return { path, manifest };
}

const texts = (sections: readonly Buffer[]): string[] => sections.map((body) => body.toString());

describe('manifest file', () => {
  it('gives its sections back and goes on behind them', async (t) => {
    const { manifest } = await written(t);
    const second = manifest();
    const loaded = await second.load();
    assert.deepEqual(texts(loaded!.sections), ['full', 'one', 'two']);
    assert.equal(loaded!.tornTail, false);
    await second.append([Buffer.from('three')]);
    await second.close();
    assert.equal((await manifest().load())!.sections.length, 4);
  });

  it('ignores an unfinished last section, wherever it ends', async (t) => {
    const { path, manifest } = await written(t);
    const whole = await readFile(path);
    const lastAt = whole.length - SECTION_HEADER_BYTES - 3;
    for (let end = lastAt; end < whole.length; end++) {
      await writeFile(path, whole.subarray(0, end));
      const cut = manifest();
      const loaded = await cut.load();
      assert.deepEqual(texts(loaded!.sections), ['full', 'one'], `${end} bytes`);
      assert.equal(loaded!.tornTail, end > lastAt);
      await cut.append([Buffer.from('again')]);
      await cut.close();
      assert.deepEqual(texts((await manifest().load())!.sections), ['full', 'one', 'again']);
    }
  });

  it('refuses damage that is not at the end, and leaves the file alone', async (t) => {
    const { path, manifest } = await written(t);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length - SECTION_HEADER_BYTES - 3; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 4;
      await writeFile(path, damaged);
      await assert.rejects(manifest().load(), { code: 'LB2002' }, `byte ${at}`);
      assert.deepEqual(await readFile(path), damaged);
    }
  });

  it('asks for a full section when the others outgrow it', async (t) => {
    const { manifest } = await setUp(t);
    const growing = manifest();
    assert.equal(growing.needsFull, true);
    await growing.writeFull([Buffer.from('full')]);
    assert.equal(growing.needsFull, false);
    await growing.append([Buffer.alloc(2 << 20)]);
    assert.equal(growing.needsFull, true);
    await growing.writeFull([Buffer.from('new')]);
    assert.equal(growing.needsFull, false);
    await growing.close();
    assert.deepEqual(texts((await manifest().load())!.sections), ['new']);
  });
});
