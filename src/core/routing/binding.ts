import { createHash } from 'node:crypto';
import type { ArgumentValue, Arguments } from '../queue-types.ts';
import type { BindingView, NewBinding } from '../routing-types.ts';
import { argumentOf } from './kinds/exchange-kind.ts';
import type { Exchange } from './exchange.ts';
import { KeyTemplate } from './records/key-template.ts';
import type { TopicRoute } from './route.ts';
import type { QueueTarget, TopicTarget } from './target.ts';

/** Where a binding leads. */
export type BindingEnd = QueueTarget | TopicTarget | Exchange;

/** An edge from an exchange to a queue, a topic or another exchange. */
export class Binding implements BindingView {
  readonly namespace: string;
  readonly source: string;
  readonly destinationKind: BindingView['destinationKind'];
  readonly destination: string;
  readonly routingKey: string;
  readonly arguments: Arguments;
  readonly propertiesKey: string;
  readonly durable: boolean;
  /** Tells it apart from all others of its source, and orders them. */
  readonly identity: string;
  readonly from: Exchange;
  readonly to: BindingEnd;
  /** What to do at its end, when that is a topic. */
  readonly topicRoute: TopicRoute | null;

  constructor(
    binding: NewBinding,
    ends: { readonly from: Exchange; readonly to: BindingEnd; readonly durable: boolean },
  ) {
    this.namespace = binding.namespace;
    this.source = binding.source;
    this.destinationKind = binding.destinationKind;
    this.destination = binding.destination;
    this.routingKey = binding.routingKey;
    this.arguments = binding.arguments;
    this.propertiesKey = propertiesKeyOf(binding);
    this.durable = ends.durable;
    this.identity = identityOf(binding);
    this.from = ends.from;
    this.to = ends.to;
    this.topicRoute = ends.to.kind === 'topic' ? topicRouteOf(ends.to, binding.arguments) : null;
  }
}

/** Tells a binding apart from the others of its source. */
export function identityOf(binding: NewBinding): string {
  return `${binding.destinationKind}\n${binding.destination}\n${propertiesKeyOf(binding)}`;
}

/** The routing key, quoted, and a hash of the arguments behind a tilde where there are any; '~' where there is nothing. */
export function propertiesKeyOf(binding: NewBinding): string {
  const key = encodePart(binding.routingKey).replaceAll('~', '%7E');
  const hasArguments = Object.keys(binding.arguments).length > 0;
  if (!hasArguments) return key === '' ? '~' : key;
  const hash = createHash('md5').update(canonicalText(binding.arguments)).digest('base64url');
  return `${key}~${hash}`;
}

/** A text as one part of a key: without slashes, and whatever it holds. */
export function encodePart(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

/** JSON with sorted names: equal for equal values. */
export function canonicalText(value: ArgumentValue): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Why the arguments of a binding to a topic cannot be, or null. */
export function findTopicArgumentDefect(given: Arguments): string | null {
  const template = argumentOf(given, 'key');
  if (template === undefined) return null;
  if (typeof template === 'string' && KeyTemplate.parse(template) !== null) return null;
  return (
    'the argument key is text with {routing_key}, {message_id}, {correlation_id} or {header:NAME}, ' +
    `not ${JSON.stringify(template)}`
  );
}

function topicRouteOf(target: TopicTarget, given: Arguments): TopicRoute {
  const template = argumentOf(given, 'key');
  const key = typeof template === 'string' ? KeyTemplate.parse(template) : null;
  return { topic: target.topic, key: key ?? KeyTemplate.routingKey };
}
