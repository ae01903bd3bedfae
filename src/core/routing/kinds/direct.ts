import type { Message } from '../../message/message.ts';
import type { Binding } from '../binding.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

/** The binding's key is the message's. */
export class DirectKind implements ExchangeKind {
  readonly dependsOn = 'key';
  readonly perKey = true;
  private readonly byKey = new Map<string, Set<Binding>>();

  findBindingDefect(): null {
    return null;
  }

  add(binding: Binding): void {
    const bindings = this.byKey.get(binding.routingKey);
    if (bindings === undefined) this.byKey.set(binding.routingKey, new Set([binding]));
    else bindings.add(binding);
  }

  remove(binding: Binding): void {
    const bindings = this.byKey.get(binding.routingKey);
    bindings?.delete(binding);
    if (bindings?.size === 0) this.byKey.delete(binding.routingKey);
  }

  match(key: string, _message: Message, visitor: BindingVisitor): void {
    const bindings = this.byKey.get(key);
    if (bindings === undefined) return;
    for (const binding of bindings) visitor.visitBinding(binding);
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.match(key, message, visitor);
  }

  keyAffectedBy(binding: Binding): string {
    return binding.routingKey;
  }
}
