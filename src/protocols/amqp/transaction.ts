import { Message } from '../../core/message/message.ts';
import type { Settlement } from '../../core/queue-types.ts';
import type { Unsettled } from './unsettled.ts';

/** A publish that waits for tx.commit. */
export interface StagedPublish {
  readonly message: Message;
  readonly mandatory: boolean;
  readonly bytes: number;
}

/** Deliveries that are settled by tx.commit: of the tags [from, to], those that are staged. */
interface StagedSettlement {
  readonly from: number;
  readonly to: number;
}

/** What a transactional channel has done since the last commit or rollback. */
export class Transaction {
  publishes: StagedPublish[] = [];
  settlements: StagedSettlement[] = [];
  heldBytes = 0;

  /** Keeps a copy of the message. Returns the bytes it takes. */
  stage(message: Message, mandatory: boolean): number {
    const copy = Object.assign(new Message(), message);
    const propertiesBytes = message.propertiesEnd - message.propertiesStart;
    const bytes = propertiesBytes + message.bodyEnd - message.bodyStart;
    const kept = Buffer.allocUnsafeSlow(bytes);
    message.properties.copy(kept, 0, message.propertiesStart, message.propertiesEnd);
    message.body.copy(kept, propertiesBytes, message.bodyStart, message.bodyEnd);
    copy.properties = copy.body = kept;
    copy.propertiesStart = 0;
    copy.propertiesEnd = copy.bodyStart = propertiesBytes;
    copy.bodyEnd = bytes;
    this.publishes.push({ message: copy, mandatory, bytes });
    this.heldBytes += bytes;
    return bytes;
  }

  /** Takes one delivery, or all up to it (tag 0: all there are), until the commit. */
  settle(unsettled: Unsettled, tag: number, multiple: boolean, settlement: Settlement): void {
    const to = multiple && tag === 0 ? unsettled.next - 1 : tag;
    const from = unsettled.stage(multiple ? 0 : tag, to, settlement);
    if (from > 0) this.settlements.push({ from, to });
  }

  commitSettlements(unsettled: Unsettled): void {
    for (const { from, to } of this.settlements) unsettled.commit(from, to);
  }

  /** What was settled waits for the client again. */
  rollBackSettlements(unsettled: Unsettled): void {
    for (const { from, to } of this.settlements) unsettled.rollBack(from, to);
  }

  /** Forgets everything. */
  clear(): void {
    this.publishes = [];
    this.settlements = [];
    this.heldBytes = 0;
  }
}
