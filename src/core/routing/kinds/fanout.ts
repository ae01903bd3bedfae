import type { Message } from '../../message/message.ts';
import type { Binding } from '../binding.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

/** Every binding matches. */
export class FanoutKind implements ExchangeKind {
  readonly dependsOn: ExchangeKind['dependsOn'] = 'nothing';
  readonly perKey = false;
  private readonly bindings = new Set<Binding>();

  findBindingDefect(): null {
    return null;
  }

  add(binding: Binding): void {
    this.bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.bindings.delete(binding);
  }

  match(_key: string, _message: Message, visitor: BindingVisitor): void {
    for (const binding of this.bindings) visitor.visitBinding(binding);
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.match(key, message, visitor);
  }

  keyAffectedBy(): null {
    return null;
  }
}
