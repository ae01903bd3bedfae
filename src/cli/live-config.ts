import { LyrebirdError } from '../base/errors.ts';
import { reloadConfig, type LoadedConfig } from '../config/index.ts';
import type { App } from '../server/app.ts';
import type { LevelLogger } from '../telemetry/pino-logger.ts';

/** The configuration that a reload replaces: what is live takes effect, what is wrong is logged and changes nothing. */
export class LiveConfig {
  private current: LoadedConfig;
  private readonly server: App;
  private readonly logger: LevelLogger;
  private reloading: Promise<void> = Promise.resolve();

  constructor(loaded: LoadedConfig, server: App, logger: LevelLogger) {
    this.current = loaded;
    this.server = server;
    this.logger = logger;
  }

  get shutdownTimeoutMs(): number {
    return this.current.config.shutdown.timeout;
  }

  /** Reads the configuration and the certificates again; several reloads follow each other. */
  reload(): void {
    this.reloading = this.reloading.then(() => this.reloadNow());
  }

  private async reloadNow(): Promise<void> {
    try {
      const { loaded, changes } = reloadConfig(this.current);
      await this.server.reloadCertificates();
      this.current = loaded;
      this.logger.setLevel(loaded.config.log.level);
      const keys = (live: boolean): string[] =>
        changes.filter((change) => change.live === live).map(({ key }) => key);
      this.logger.info('config.reloaded', 'configuration and certificates were read again', {
        applied: keys(true),
        needRestart: keys(false),
      });
    } catch (error) {
      const code = error instanceof LyrebirdError ? error.code : null;
      this.logger.error('config.reload-failed', 'nothing was changed', { code, err: error });
    }
  }
}
