/** npm passes on a SIGINT that the terminal has already sent to the whole process group: two for one Ctrl-C. */
const NPM_ECHO_MS = 300;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_CODE = { SIGINT: 130, SIGTERM: 143 } as const;

export interface BrokerSignals {
  /** Resolves with the first SIGINT or SIGTERM; the second one ends the process at once, as a crash would. */
  readonly first: Promise<(typeof STOP_SIGNALS)[number]>;
  /** Called at every SIGHUP from now on, and now when there was one before: without a listener it would kill. */
  onHangup(reload: () => void): void;
  /** The broker has stopped: signals that arrive while the process ends no longer matter. */
  finish(): void;
}

export function listenToSignals(options: { readonly underNpm: boolean }): BrokerSignals {
  let finished = false;
  let hungUp = false;
  let reload = (): void => {
    hungUp = true;
  };
  process.on('SIGHUP', () => reload());
  let firstMs: number | null = null;
  let announce: (signal: (typeof STOP_SIGNALS)[number]) => void = () => {};
  const first = new Promise<(typeof STOP_SIGNALS)[number]>((resolve) => (announce = resolve));
  const onSignal = (signal: (typeof STOP_SIGNALS)[number]): void => {
    if (finished) return;
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
    onHangup: (callback) => {
      reload = callback;
      if (hungUp) callback();
    },
    finish: () => {
      finished = true;
    },
  };
}
