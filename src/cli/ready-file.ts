import { renameSync, rmSync, writeFileSync } from 'node:fs';

export interface ReadyFacts {
  readonly pid: number;
  readonly version: string;
  readonly startedMs: number;
  readonly listeners: readonly {
    readonly scheme: string;
    readonly host: string;
    readonly port: number;
  }[];
}

/** The file that says a broker is ready, for harnesses that wait for it: there completely, or not at all. */
export class ReadyFile {
  private readonly path: string;

  /** Removes what a crashed broker left, so that nobody takes it for this one. */
  constructor(path: string) {
    this.path = path;
    rmSync(path, { force: true });
  }

  write(facts: ReadyFacts): void {
    const temporary = `${this.path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(facts)}\n`);
    renameSync(temporary, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
