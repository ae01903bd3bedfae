import type { Message } from '../../message/message.ts';
import type { Arguments } from '../../queue-types.ts';
import type { Binding } from '../binding.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

/**
 * Chooses as another type does; messages with a delay are put aside before that, by whoever asks, and are routed when
 * they are due.
 */
export class DelayedKind implements ExchangeKind {
  readonly dependsOn = 'message';
  readonly perKey: boolean;
  private readonly inner: ExchangeKind;

  constructor(inner: ExchangeKind) {
    this.inner = inner;
    this.perKey = inner.perKey;
  }

  findBindingDefect(routingKey: string, given: Arguments): string | null {
    return this.inner.findBindingDefect(routingKey, given);
  }

  add(binding: Binding): void {
    this.inner.add(binding);
  }

  remove(binding: Binding): void {
    this.inner.remove(binding);
  }

  match(key: string, message: Message, visitor: BindingVisitor): void {
    this.inner.match(key, message, visitor);
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.inner.matchPossible(key, message, visitor);
  }

  keyAffectedBy(): null {
    return null;
  }
}
