import type { Authorizer } from '../security/authorizer.ts';
import type { SecurityOptions } from '../security/security.ts';
import {
  DEFAULT_HELD_BYTES_TOTAL,
  DEFAULT_LISTENER_LIMITS,
  type ListenerLimits,
} from '../net/limits.ts';
import type { TlsFiles } from '../net/tls-material.ts';
import { silentLogger, type Logger } from '../telemetry/logger.ts';
import type { LocalEngineLimits } from '../storage/local-engine-options.ts';
import type { MemoryEngineOptions } from '../storage/memory/memory-engine.ts';
import type { Durability } from '../storage/types.ts';
import type { CoordinatorOptions } from '../core/group/index.ts';
import { PROTOCOL_DEFAULTS, type ProtocolSettings } from './protocols.ts';

/** One address to open. */
export interface ListenerSpec {
  /** Unique; in logs, metrics and advertised addresses. */
  readonly name: string;
  /** A protocol, or 'admin'. */
  readonly scheme: string;
  readonly host: string;
  /** 0: a free one; null: the usual one of the scheme. */
  readonly port: number | null;
  readonly tls: TlsFiles | null;
}

/** Where data is kept; limits that are not given have the engine's defaults. */
export type StorageSpec =
  | { readonly kind: 'memory'; readonly limits?: MemoryEngineLimits }
  | {
      readonly kind: 'disk';
      readonly path: string;
      readonly limits?: Partial<LocalEngineLimits>;
    };

export type MemoryEngineLimits = Pick<MemoryEngineOptions, 'memoryBytesMax' | 'retentionCheckMs'>;

/** One key of the configuration, for people. */
export interface ShownSetting {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
  readonly documentation: string | null;
}

/** Everything a broker is started with: plain values, checked before. Times in ms, sizes in bytes. */
export interface ServerOptions {
  readonly nodeId: number;
  readonly storage: StorageSpec;
  /** Durability of topics that do not say, and of group state. */
  readonly durability: Durability;
  /** In the order to open them; none: every protocol's usual port and the admin port on loopback. */
  readonly listeners: readonly ListenerSpec[];
  readonly anonymous: 'deny' | 'allow';
  /** Host names that admin requests may use besides localhost and addresses. */
  readonly adminHosts: readonly string[];
  readonly limits: ListenerLimits;
  /** Unconsumed input of all connections together. */
  readonly heldBytesMax: number;
  readonly protocols: ProtocolSettings;
  readonly groups: Partial<CoordinatorOptions>;
  readonly shutdownTimeoutMs: number;
  /** null: users and their permissions decide. */
  readonly authorizer: Authorizer | null;
  readonly security: Partial<SecurityOptions>;
  readonly logger: Logger;
  /** What `lyrebird config show` asks for. */
  readonly shownConfig: readonly ShownSetting[];
}

export const SERVER_DEFAULTS: ServerOptions = {
  nodeId: 1,
  storage: { kind: 'memory' },
  durability: 'fsync',
  listeners: [],
  anonymous: 'deny',
  adminHosts: [],
  limits: DEFAULT_LISTENER_LIMITS,
  heldBytesMax: DEFAULT_HELD_BYTES_TOTAL,
  protocols: PROTOCOL_DEFAULTS,
  groups: {},
  shutdownTimeoutMs: 10_000,
  authorizer: null,
  security: {},
  logger: silentLogger,
  shownConfig: [],
};
