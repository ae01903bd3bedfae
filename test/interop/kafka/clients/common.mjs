// Shared by the Node clients: one case per process, exit code 0 when it holds, 3 when the client lacks it.

export const values = (count) => Array.from({ length: count }, (_, i) => `v${i}`);

export function check(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

/** Resolves with the first count items that start(push) delivers. */
export function readAll(count, start) {
  return new Promise((resolve, reject) => {
    const items = [];
    Promise.resolve(
      start((item) => {
        items.push(item);
        if (items.length === count) resolve(items);
      }),
    ).catch(reject);
  });
}

export async function runCase(name, cases) {
  const run = cases[name];
  if (run === undefined) process.exit(3);
  try {
    await run();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error?.stack ?? error}\n`);
    process.exit(1);
  }
}
