/**
 * package-lock.json must name every optional package of every dependency, or `npm ci` refuses the file, and must not
 * name the registry it was made with. A registry that carries only some platforms makes npm leave the other ones'
 * packages out: `node --import tsx tools/lock-file.ts` adds them again, from what their names say.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const LOCK_FILE = 'package-lock.json';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly engines?: Readonly<Record<string, string>>;
}

type Packages = Record<string, LockedPackage>;

interface Missing {
  readonly path: string;
  readonly owner: string;
  readonly version: string;
}

/** Optional dependencies without an entry, nested or at the top. */
function missingPackages(packages: Packages): Missing[] {
  return Object.entries(packages).flatMap(([owner, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(
        ([name]) =>
          packages[`node_modules/${name}`] === undefined &&
          packages[`${owner}/node_modules/${name}`] === undefined,
      )
      .map(([name, version]) => ({ path: `node_modules/${name}`, owner, version })),
  );
}

/**
 * `@oxlint/binding-linux-arm-musleabihf` is for os linux, cpu arm, libc musl. An entry has no checksum: who installs
 * it on its platform has the word of the registry alone, as without a lock file.
 */
function platformEntry({ path, owner, version }: Missing, packages: Packages): LockedPackage {
  const match =
    /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|x64|ppc64|riscv64|s390x)(?:-(gnu|musl))?/.exec(
      path,
    );
  const [, os, cpu, libc] = match ?? [];
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`${path}@${version}: the name does not say for which platform it is`);
  }
  const { license, dev, engines } = packages[owner] ?? {};
  return {
    version,
    cpu: [cpu],
    ...(dev === undefined ? {} : { dev }),
    ...(os === 'linux' && libc !== undefined ? { libc: [libc === 'gnu' ? 'glibc' : 'musl'] } : {}),
    ...(license === undefined ? {} : { license }),
    optional: true,
    os: [os],
    ...(engines === undefined ? {} : { engines }),
  };
}

function readLock(): { packages: Packages } {
  return JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as { packages: Packages };
}

export function checkLockFile(): string[] {
  const { packages } = readLock();
  const missing = missingPackages(packages).map(
    ({ path }) => `${LOCK_FILE}: ${path} is missing; run node --import tsx tools/lock-file.ts`,
  );
  const resolved = Object.entries(packages)
    .filter(([, entry]) => entry.resolved !== undefined)
    .map(([path]) => `${LOCK_FILE}: ${path} names a registry; see .npmrc`);
  return [...missing, ...resolved];
}

function completeLockFile(): void {
  const lock = readLock();
  const missing = missingPackages(lock.packages);
  const added = missing.map((item) => [item.path, platformEntry(item, lock.packages)] as const);
  const entries = [...Object.entries(lock.packages), ...added];
  entries.sort(([a], [b]) => a.localeCompare(b, 'en'));
  const complete = { ...lock, packages: Object.fromEntries(entries) };
  writeFileSync(LOCK_FILE, `${JSON.stringify(complete, null, 2)}\n`);
  console.log(`${added.length} packages added`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) completeLockFile();
