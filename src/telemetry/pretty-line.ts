const COLORS = { debug: 90, info: 36, warn: 33, error: 31 } as const;
const HIDDEN = new Set(['level', 'time', 'event', 'msg', 'err']);

/** One log line for people: `12:34:56.789 WARN  connection refused (listener.refused) reason=ip-limit`. */
export function prettyLine(json: string, options: { readonly color: boolean }): string {
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return json;
  }
  const paint = (code: number, text: string): string =>
    options.color ? `\u001b[${code}m${text}\u001b[0m` : text;
  const level = String(line.level);
  const color = COLORS[level as keyof typeof COLORS] ?? 0;
  const time = new Date(String(line.time)).toTimeString().slice(0, 8);
  const ms = String(new Date(String(line.time)).getMilliseconds()).padStart(3, '0');
  let text = `${paint(90, `${time}.${ms}`)} ${paint(color, level.toUpperCase().padEnd(5))} `;
  text += `${String(line.msg)} ${paint(90, `(${String(line.event)})`)}`;
  for (const [name, value] of Object.entries(line)) {
    if (!HIDDEN.has(name)) text += ` ${paint(90, `${name}=`)}${fieldText(value)}`;
  }
  const error = line.err as { stack?: string; message?: string } | undefined;
  if (error !== undefined)
    text += `\n    ${(error.stack ?? error.message ?? '').replaceAll('\n', '\n    ')}`;
  return `${text}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
}
