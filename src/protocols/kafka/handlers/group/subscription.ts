import type { GroupProtocol } from '../../../../core/group-types.ts';
import { CodecError } from '../../codec/codec-error.ts';
import { readConsumerProtocolSubscription } from '../../codec/generated/consumer-protocol.ts';
import { Reader } from '../../codec/reader.ts';

/** Members of this type say in their metadata which topics they subscribe to. */
const CONSUMER_TYPE = 'consumer';

/** Every version of a subscription begins as version 0 does: topics, then user data. */
const COMMON_VERSION = 0;

/**
 * The topics that a member subscribes to, over all protocols it offers; null when it is no consumer or its
 * metadata cannot be read: clients may put there what they like.
 */
export function subscribedTopics(
  protocolType: string,
  protocols: readonly GroupProtocol[],
): readonly string[] | null {
  if (protocolType !== CONSUMER_TYPE) return null;
  const topics = new Set<string>();
  for (const { metadata } of protocols) {
    try {
      const reader = new Reader(metadata);
      reader.int16('version');
      const subscription = readConsumerProtocolSubscription(reader, COMMON_VERSION);
      for (const topic of subscription.topics) topics.add(topic);
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  }
  return [...topics];
}
