import { Message } from '../../core/message/message.ts';
import type { Settlement } from '../../core/queue-types.ts';

/** A publish that waits for tx.commit. */
export interface StagedPublish {
  readonly message: Message;
  readonly mandatory: boolean;
  readonly bytes: number;
}

/** A settlement that waits for tx.commit. */
export interface StagedSettlement {
  readonly tag: number;
  readonly multiple: boolean;
  readonly settlement: Settlement;
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

  /** Forgets everything. */
  clear(): void {
    this.publishes = [];
    this.settlements = [];
    this.heldBytes = 0;
  }
}
