import type { Random } from '../../base/random.ts';
import type { PropertiesReaders } from '../message/properties.ts';
import type { Arguments } from '../queue-types.ts';
import { ConsistentHashKind } from './kinds/consistent-hash.ts';
import { DelayedKind } from './kinds/delayed.ts';
import { DirectKind } from './kinds/direct.ts';
import { argumentOf, type ExchangeKind } from './kinds/exchange-kind.ts';
import { FanoutKind } from './kinds/fanout.ts';
import { findHashArgumentDefect, hashSubjectOf } from './kinds/hash-subject.ts';
import { HeadersKind } from './kinds/headers.ts';
import { ModulusHashKind } from './kinds/modulus-hash.ts';
import { RandomKind } from './kinds/random.ts';
import { RecentHistory, RecentHistoryKind, historyLengthOf } from './kinds/recent-history.ts';
import { TopicKind } from './kinds/topic.ts';

export interface KindPorts {
  readonly random: Random;
  readonly readers: PropertiesReaders;
}

/** Arguments of an exchange that cannot be. */
export interface ArgumentDefect {
  readonly argument: string;
  readonly message: string;
}

type KindFactory = (given: Arguments, ports: KindPorts) => ExchangeKind | ArgumentDefect;

const DELAYED = 'x-delayed-message';
const NO_KIND: ArgumentDefect = {
  argument: 'x-delayed-type',
  message: "Invalid argument, 'x-delayed-type' must be an existing exchange type",
};

const FACTORIES = new Map<string, KindFactory>([
  ['direct', () => new DirectKind()],
  ['fanout', () => new FanoutKind()],
  ['topic', () => new TopicKind()],
  ['headers', (_given, { readers }) => new HeadersKind(readers)],
  [
    'x-consistent-hash',
    (given, { readers }) =>
      findHashArgumentDefect(given) ?? new ConsistentHashKind(hashSubjectOf(given, readers)),
  ],
  ['x-random', (_given, { random }) => new RandomKind(random)],
  ['x-local-random', (_given, { random }) => new RandomKind(random)],
  ['x-modulus-hash', () => new ModulusHashKind()],
  ['x-recent-history', newRecentHistory],
  [DELAYED, newDelayed],
]);

/** The types that exist, in the order in which they are listed. */
export const EXCHANGE_TYPES: readonly string[] = [...FACTORIES.keys()];

/** The behaviour of a type, what is wrong with the arguments, or null when there is no such type. */
export function createExchangeKind(
  type: string,
  given: Arguments,
  ports: KindPorts,
): ExchangeKind | ArgumentDefect | null {
  const alternate = argumentOf(given, 'alternate-exchange');
  if (alternate !== undefined && typeof alternate !== 'string') {
    return { argument: 'alternate-exchange', message: 'alternate-exchange must be a name' };
  }
  return FACTORIES.get(type)?.(given, ports) ?? null;
}

export function isArgumentDefect(value: object): value is ArgumentDefect {
  return 'argument' in value;
}

/** The arguments that must be the same when an exchange of the type is declared again. */
export function comparedArguments(type: string): readonly string[] {
  switch (type) {
    case 'x-consistent-hash':
      return ['alternate-exchange', 'hash-header', 'hash-property'];
    case DELAYED:
      return ['alternate-exchange', 'delayed-type'];
    default:
      return ['alternate-exchange'];
  }
}

function newRecentHistory(given: Arguments, { readers }: KindPorts): ExchangeKind | ArgumentDefect {
  const lengthMax = historyLengthOf(argumentOf(given, 'recent-history-length'));
  if (lengthMax !== null) return new RecentHistoryKind(new RecentHistory(lengthMax, readers));
  const argument = 'x-recent-history-length';
  return { argument, message: `Invalid argument, '${argument}' must be a positive integer` };
}

function newDelayed(given: Arguments, ports: KindPorts): ExchangeKind | ArgumentDefect {
  const type = argumentOf(given, 'delayed-type');
  if (typeof type !== 'string' || type === DELAYED) return NO_KIND;
  const inner = FACTORIES.get(type)?.(given, ports) ?? NO_KIND;
  return isArgumentDefect(inner) ? inner : new DelayedKind(inner);
}
