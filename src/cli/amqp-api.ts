import type { Command } from 'commander';
import { apiPath } from './admin-client.ts';

/** A row of the management API; which members it has is in docs/reference/management-api.md. */
export type ApiRow = Readonly<Record<string, unknown>>;

export interface VhostOptions {
  readonly vhost: string;
}

export function withVhost(command: Command): Command {
  return command.option('--vhost <name>', 'virtual host', '/');
}

/** A path in AMQP's part of the admin API. */
export function amqpPath(...parts: readonly string[]): string {
  return `/parts/amqp${apiPath(...parts)}`;
}

export function textOf(row: ApiRow, name: string): string {
  const value = row[name];
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}

export function numberOf(row: ApiRow, name: string): number {
  const value = row[name];
  return typeof value === 'number' ? value : 0;
}

/** `name=value` arguments: numbers, true and false are what they look like, anything else is text. */
export function typedArguments(pairs: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(pairs).map(([name, text]) => [name, typedValue(text)] as const),
  );
}

function typedValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}
