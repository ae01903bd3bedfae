const DEFAULT_EXCHANGE = 'amq.default';

/** The default exchange has no name; in paths it is called amq.default. */
export function exchangeName(inPath: string): string {
  return inPath === DEFAULT_EXCHANGE ? '' : inPath;
}
