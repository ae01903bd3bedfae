/** As long as AMQP's short strings, in bytes. */
const NAME_BYTES_MAX = 255;

/** What is wrong with the name of a user, a namespace or the like, or null. */
export function findNameDefect(what: string, name: string): string | null {
  if (name === '') return `the name of a ${what} is empty`;
  // A lone surrogate has no UTF-8 form.
  if (/\p{Surrogate}/u.test(name)) return `the name of a ${what} is not Unicode text`;
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    return `the name of a ${what} is longer than ${NAME_BYTES_MAX} bytes`;
  }
  return null;
}
