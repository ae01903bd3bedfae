import type { HttpServer } from '../net/http-server.ts';

/** Stopping and starting a broker inside its process. */
export interface AppControl {
  readonly running: boolean;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What a server that starts again finds: who stops and starts it, and interfaces that stayed open. */
export interface AppParts {
  /** null: nobody but whoever made it. */
  readonly control: AppControl | null;
  /** By the name of their listener. */
  readonly doors: Map<string, HttpServer>;
}

/** Whether a listener stays open while the broker is stopped: through the admin interface it is started again. */
export function staysOpen(scheme: string): boolean {
  return scheme === 'admin';
}
