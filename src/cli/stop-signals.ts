/** npm passes on a SIGINT that the terminal has already sent to the whole process group: two for one Ctrl-C. */
const NPM_ECHO_MS = 300;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

export interface StopSignals {
  /** Resolves with the first SIGINT or SIGTERM; the second one ends the process at once, as a crash would. */
  readonly first: Promise<(typeof STOP_SIGNALS)[number]>;
  /** Stops listening. */
  close(): void;
}

export function listenForStop(options: { readonly underNpm: boolean }): StopSignals {
  let firstMs: number | null = null;
  let announce: (signal: (typeof STOP_SIGNALS)[number]) => void = () => {};
  const first = new Promise<(typeof STOP_SIGNALS)[number]>((resolve) => (announce = resolve));
  const onSignal = (signal: (typeof STOP_SIGNALS)[number]): void => {
    const nowMs = performance.now();
    if (firstMs === null) {
      firstMs = nowMs;
      announce(signal);
      return;
    }
    const isEcho = options.underNpm && signal === 'SIGINT' && nowMs - firstMs < NPM_ECHO_MS;
    if (!isEcho) process.exit(EXIT_CODE[signal]);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    first,
    close: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    },
  };
}
