import { CTL_EXIT, CtlError, type CtlCall } from '../verb.ts';

/** The columns that were asked for, in that order; names may be joined by commas. */
export function columnsFor(
  { args }: CtlCall,
  { known, usual }: { readonly known: readonly string[]; readonly usual: readonly string[] },
): readonly string[] {
  const asked = args.flatMap((word) => word.split(/[\s,]+/)).filter((name) => name !== '');
  if (asked.length === 0) return usual;
  const wrong = asked.filter((name) => !known.includes(name));
  if (wrong.length === 0) return asked;
  throw new CtlError(
    CTL_EXIT.usage,
    `Error (argument validation): Info key(s) ${wrong.join(',')} are not supported`,
  );
}
