import { readFileSync } from 'node:fs';

/** Resident memory of a process now and at its highest, as `rss 96 MB, peak 120 MB` (from procfs). */
export function memoryOf(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return Math.round(Number(kilobytes) / 1024);
  };
  return `rss ${megabytes('VmRSS')} MB, peak ${megabytes('VmHWM')} MB`;
}
