import type { Message } from '../../message/message.ts';
import type { Binding } from '../binding.ts';
import { TopicTrie, hasWildcard } from '../topic-trie.ts';
import type { BindingVisitor, ExchangeKind } from './exchange-kind.ts';

/** The binding's key is a pattern of words. */
export class TopicKind implements ExchangeKind {
  readonly dependsOn = 'key';
  readonly perKey = true;
  readonly trie = new TopicTrie<Binding>();

  findBindingDefect(): null {
    return null;
  }

  add(binding: Binding): void {
    this.trie.add(binding.routingKey, binding);
  }

  remove(binding: Binding): void {
    this.trie.remove(binding.routingKey, binding);
  }

  match(key: string, _message: Message, visitor: BindingVisitor): void {
    this.trie.visit(key, (binding) => visitor.visitBinding(binding));
  }

  matchPossible(key: string, message: Message, visitor: BindingVisitor): void {
    this.match(key, message, visitor);
  }

  keyAffectedBy(binding: Binding): string | null {
    return hasWildcard(binding.routingKey) ? null : binding.routingKey;
  }
}
