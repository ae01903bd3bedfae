import type { Message } from '../../message/message.ts';
import type { Binding } from '../binding.ts';
import { hashText } from '../hash.ts';
import { BindingList } from './binding-list.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

/** One binding gets the message: the hash of the routing key, modulo how many there are. */
export class ModulusHashKind implements ExchangeKind {
  readonly dependsOn = 'key';
  readonly perKey = false;
  private readonly bindings = new BindingList();

  findBindingDefect(): null {
    return null;
  }

  add(binding: Binding): void {
    this.bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.bindings.remove(binding);
  }

  match(key: string, _message: Message, visitor: BindingVisitor): void {
    const { length } = this.bindings;
    const binding = this.bindings.at(length < 2 ? 0 : hashText(key) % length);
    if (binding !== undefined) visitor.visitBinding(binding);
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.match(key, message, visitor);
  }

  keyAffectedBy(): null {
    return null;
  }
}
