import type { Message } from '../../message/message.ts';
import type { ArgumentValue, Arguments } from '../../queue-types.ts';
import type { Binding } from '../binding.ts';

/** Is told which bindings match. */
export interface BindingVisitor {
  visitBinding(binding: Binding): void;
}

/** How an exchange of one type chooses among its bindings. */
export interface ExchangeKind {
  /** What the choice depends on beside the bindings: results are remembered for 'nothing' and for 'key'. */
  readonly dependsOn: 'nothing' | 'key' | 'message';
  /** match() is called once for each key of a message, not only for the first. */
  readonly perKey: boolean;
  /** Why a binding cannot be made, or null. */
  findBindingDefect(routingKey: string, bindingArguments: Arguments): string | null;
  add(binding: Binding): void;
  remove(binding: Binding): void;
  match(key: string, message: Message, visitor: BindingVisitor): void;
  /** All bindings that match() might choose, where chance decides; else what match() chooses. */
  matchPossible(key: string, message: Message, visitor: BindingVisitor): void;
  /** The one key whose matches a binding changes, or null when it may change those of others. */
  keyAffectedBy(binding: Binding): string | null;
}

/** An argument by its name, written with or without the x- that some protocols put in front. */
export function argumentOf(given: Arguments, name: string): ArgumentValue | undefined {
  return given[name] ?? given[`x-${name}`];
}
