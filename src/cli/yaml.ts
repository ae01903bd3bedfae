/** What JSON can say, as YAML 1.2 in block style. Text that could be read as something else is quoted. */
export function toYaml(value: unknown): string {
  return `${block(value, '').replace(/^\n/, '')}\n`;
}

const PLAIN = /^[A-Za-z_/][\w ./@+-]*$/;
/** Words that some reader of YAML takes for true, false, null or a number. */
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|nan|inf)$/i;

/** The value behind `key:` or `-`: on the same line after a blank, or on the following lines. */
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${indent}-${listItem(item, indent)}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    if (entries.length === 0) return ' {}';
    return entries
      .map(([key, member]) => {
        // A list stands under its key, as far out as that is.
        const deeper = Array.isArray(member) ? indent : `${indent}  `;
        return `\n${indent}${scalar(key)}:${block(member, deeper)}`;
      })
      .join('');
  }
  return ` ${scalar(value)}`;
}

/** The first member of an object in a list stands beside the dash. */
function listItem(item: unknown, indent: string): string {
  const text = block(item, `${indent}  `);
  return text.startsWith('\n') ? ` ${text.slice(indent.length + 3)}` : text;
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain = PLAIN.test(value) && !RESERVED.test(value) && !value.endsWith(' ');
  return isPlain ? value : JSON.stringify(value);
}
