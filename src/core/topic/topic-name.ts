const NAME_MAX = 249;
const LEGAL = /^[a-zA-Z0-9._-]+$/;

/** Why a text cannot name a topic, or null when it can. */
export function findNameDefect(name: string): string | null {
  if (name === '') return 'the empty string is not allowed';
  if (name === '.' || name === '..') return `'${name}' is not allowed`;
  if (name.length > NAME_MAX) {
    return `the length of ${name.length} exceeds the maximum of ${NAME_MAX}`;
  }
  if (!LEGAL.test(name)) {
    return `'${printable(name)}' holds a character other than ASCII letters, digits, '.', '_' and '-'`;
  }
  return null;
}

/**
 * Names with the same key must not exist side by side: metrics write '.' as '_', so that a.b and a_b could not be
 * told apart. Null when the name holds neither and so cannot collide with another name.
 */
export function collisionKey(name: string): string | null {
  return name.includes('.') || name.includes('_') ? name.replaceAll('.', '_') : null;
}

function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?');
}
