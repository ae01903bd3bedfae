// Shared by the Node clients: one case per process, exit code 0 when it holds, 3 when the client lacks it.

export const MEGABYTE = 1024 * 1024;

export function check(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

export function same(actual, expected, what) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  check(a === b, `${what}: ${a} instead of ${b}`);
}

export const bodies = (count, prefix = 'm') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

export const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));

/** Collects what push() gets; take(count) resolves when that much is there. */
export class Inbox {
  items = [];
  waiting = [];

  push(item) {
    this.items.push(item);
    for (const wake of this.waiting.splice(0)) wake();
  }

  async take(count) {
    while (this.items.length < count) await new Promise((resolve) => this.waiting.push(resolve));
    return this.items;
  }
}

/** Asks until something is there. */
export async function poll(ask) {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

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
