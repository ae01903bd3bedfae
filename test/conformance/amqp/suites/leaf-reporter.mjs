// A reporter of node:test that prints one line of JSON per test without tests inside it: { name, outcome, detail }.
const outcomeOf = (type, data) => {
  if (data.skip !== undefined || data.todo !== undefined) return 'SKIP';
  return type === 'test:pass' ? 'PASS' : 'FAIL';
};

// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter's default export
export default async function* leafReporter(events) {
  const open = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      open.length = data.nesting;
      for (const parent of open) parent.leaf = false;
      open.push({ name: data.name, leaf: true });
    } else if (type === 'test:pass' || type === 'test:fail') {
      const own = open[data.nesting];
      if (!own?.leaf || data.details.type === 'suite') continue;
      const name = open.slice(0, data.nesting + 1).map((test) => test.name);
      const error = data.details.error?.cause ?? data.details.error;
      const detail = String(error?.message ?? error ?? '')
        .split('\n')[0]
        .slice(0, 200);
      yield `${JSON.stringify({ name: name.join(' > '), outcome: outcomeOf(type, data), detail })}\n`;
    }
  }
}
