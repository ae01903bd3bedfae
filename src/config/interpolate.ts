import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface InterpolationContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative names in `${file:..}` start here. */
  readonly folder: string;
}

/** Text with its references replaced, or why it cannot be. */
export type Interpolation = { readonly text: string } | { readonly problem: string };

/**
 * Replaces `${env:NAME}` by the variable and `${file:PATH}` by the file's text without its last line break.
 * `$${` is a literal `${`. What was put in is not looked at again.
 */
export function interpolate(text: string, context: InterpolationContext): Interpolation {
  let problem: string | null = null;
  const replaced = text.replace(/\$(\$\{)|\$\{([^}]*)\}/g, (_, escaped: string, inner: string) => {
    if (escaped !== undefined) return escaped;
    const [kind, name] = splitOnce(inner);
    if (kind === 'env') {
      const value = context.environment[name];
      if (value !== undefined) return value;
      problem ??= `environment variable ${name} is not set`;
    } else if (kind === 'file') {
      try {
        return readFileSync(resolve(context.folder, name), 'utf8').replace(/\r?\n$/, '');
      } catch (error) {
        problem ??= `cannot read ${name}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
      }
    } else {
      problem ??= `\${${inner}} is not a reference; write \${env:NAME} or \${file:PATH}`;
    }
    return '';
  });
  return problem === null ? { text: replaced } : { problem };
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
