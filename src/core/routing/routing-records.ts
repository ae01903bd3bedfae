import type { Arguments } from '../queue-types.ts';
import type { BindingView, NewBinding, NewExchange } from '../routing-types.ts';
import { encodePart, propertiesKeyOf } from './binding.ts';

/**
 * What the metadata store keeps of durable exchanges and bindings. Parts of keys are URI-encoded, values JSON:
 *
 *   exchanges/<namespace>/<name>                                         type, autoDelete, internal, arguments
 *   bindings/<namespace>/<source>/<kind>/<destination>/<properties key>  routingKey, arguments
 */
export const EXCHANGE_PREFIX = 'exchanges/';
export const BINDING_PREFIX = 'bindings/';

const EXCHANGE_PARTS = 2;
const BINDING_PARTS = 5;

export function exchangeKey(namespace: string, name: string): string {
  return `${EXCHANGE_PREFIX}${encodePart(namespace)}/${encodePart(name)}`;
}

export function bindingKey(binding: NewBinding): string {
  const { namespace, source, destinationKind, destination } = binding;
  const parts = [namespace, source, destinationKind, destination, propertiesKeyOf(binding)];
  return BINDING_PREFIX + parts.map(encodePart).join('/');
}

export function encodeExchange(exchange: NewExchange): string {
  const { type, autoDelete, internal } = exchange;
  return JSON.stringify({ type, autoDelete, internal, arguments: exchange.arguments });
}

export function encodeBinding(binding: NewBinding): string {
  return JSON.stringify({ routingKey: binding.routingKey, arguments: binding.arguments });
}

/** The names in an exchange's key. */
export function parseExchangeKey(key: string): {
  readonly namespace: string;
  readonly name: string;
} {
  const [namespace = '', name = ''] = partsOf(key, EXCHANGE_PREFIX, EXCHANGE_PARTS);
  return { namespace, name };
}

/** Reads what encodeExchange wrote. Throws when it is something else. */
export function decodeExchange(key: string, text: string): NewExchange {
  const value = object(JSON.parse(text), 'record');
  if (typeof value['type'] !== 'string') throw new TypeError('type: a text expected');
  return {
    ...parseExchangeKey(key),
    type: value['type'],
    durable: true,
    autoDelete: value['autoDelete'] === true,
    internal: value['internal'] === true,
    arguments: Object.freeze(object(value['arguments'], 'arguments')) as Arguments,
  };
}

/** Reads what encodeBinding wrote. Throws when it is something else. */
export function decodeBinding(key: string, text: string): NewBinding {
  const value = object(JSON.parse(text), 'record');
  if (typeof value['routingKey'] !== 'string') throw new TypeError('routingKey: a text expected');
  return {
    ...parseBindingKey(key),
    routingKey: value['routingKey'],
    arguments: Object.freeze(object(value['arguments'], 'arguments')) as Arguments,
  };
}

/** What a binding's key says of it; the rest is in the value. */
export function parseBindingKey(
  key: string,
): Pick<BindingView, 'namespace' | 'source' | 'destinationKind' | 'destination' | 'propertiesKey'> {
  const parts = partsOf(key, BINDING_PREFIX, BINDING_PARTS);
  const [namespace = '', source = '', kind = '', destination = '', propertiesKey = ''] = parts;
  if (kind !== 'queue' && kind !== 'exchange' && kind !== 'topic') {
    throw new TypeError('the kind of a destination expected');
  }
  return { namespace, source, destinationKind: kind, destination, propertiesKey };
}

function partsOf(key: string, prefix: string, count: number): readonly string[] {
  const parts = key.slice(prefix.length).split('/');
  if (parts.length !== count) throw new TypeError(`a key of ${count} parts expected`);
  return parts.map((part) => decodeURIComponent(part));
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name}: an object expected`);
  }
  return value as Record<string, unknown>;
}
