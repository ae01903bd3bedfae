import { randomBelow, type Random } from '../../../base/random.ts';
import type { Message } from '../../message/message.ts';
import type { Binding } from '../binding.ts';
import { BindingList } from './binding-list.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

/** One binding gets the message, whichever chance picks. */
export class RandomKind implements ExchangeKind {
  readonly dependsOn = 'message';
  readonly perKey = false;
  private readonly random: Random;
  private readonly bindings = new BindingList();

  constructor(random: Random) {
    this.random = random;
  }

  findBindingDefect(): null {
    return null;
  }

  add(binding: Binding): void {
    this.bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.bindings.remove(binding);
  }

  match(_key: string, _message: Message, visitor: BindingVisitor): void {
    const { length } = this.bindings;
    const binding = this.bindings.at(length < 2 ? 0 : randomBelow(this.random, length));
    if (binding !== undefined) visitor.visitBinding(binding);
  }

  matchPossible(_key: string, _message: Message, visitor: BindingVisitor): void {
    for (const binding of this.bindings.all()) visitor.visitBinding(binding);
  }

  keyAffectedBy(): null {
    return null;
  }
}
