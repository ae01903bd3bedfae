import type { Broker } from '../core/broker.ts';
import type { TopicConfig } from '../core/types.ts';
import type {
  BrokerInfo,
  CommandResult,
  ComponentHealth,
  ConfigEntry,
  ConnectionInfo,
  LimitInfo,
  ListenerInfo,
} from './api.ts';

/** Topic settings as text, in the words of the protocol that defines them. */
export interface TopicSettings {
  readonly defaultPartitions: number;
  readonly maxPartitions: number;
  /** What core is told about a topic with these settings, or why they cannot be. */
  resolve(overrides: Readonly<Record<string, string>>): TopicConfig | { readonly invalid: string };
  /** Every setting with its value and where that comes from. */
  describe(overrides: Readonly<Record<string, string>>): readonly ConfigEntry[];
}

/** Serves what is under its path. env is what the web server hands along. */
export type AdminPart = (request: Request, env: object) => Response | Promise<Response>;

/** A command of another broker's tools. input: what it would read from a file or the standard input. */
export type Command = (args: readonly string[], input: string | null) => Promise<CommandResult>;

/** What the admin interface needs of the server around it. Everything is read when a request asks. */
export interface AdminPorts {
  readonly broker: Broker;
  readonly topicSettings: TopicSettings;
  info(): BrokerInfo;
  health(): readonly ComponentHealth[];
  /** All metrics, as Prometheus reads them. */
  scrape(): string;
  config(): readonly ConfigEntry[];
  listeners(): readonly ListenerInfo[];
  connections(): readonly ConnectionInfo[];
  /** False: no such connection. */
  closeConnection(id: number): boolean;
  limits(): readonly LimitInfo[];
  /** Parts of the API that protocols serve, under their names; null: there is none. */
  part(name: string): Promise<AdminPart> | null;
  /** null: there is no such command. */
  command(name: string): Command | null;
  /** Bytes in and out of all listeners since the start. */
  traffic(): { readonly bytesIn: number; readonly bytesOut: number };
}
