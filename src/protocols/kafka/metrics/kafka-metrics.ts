import type { TopicView } from '../../../core/types.ts';
import { RequestTimes } from './request-times.ts';

/** What one topic saw through this protocol. */
export class TopicMeter {
  messagesIn = 0;
  bytesIn = 0;
  bytesOut = 0;
  produceRequests = 0;
  fetchRequests = 0;
  failedProduceRequests = 0;
  failedFetchRequests = 0;
}

/** Versions of one API are counted in a row of this many. */
const VERSION_SLOTS = 32;
const API_SLOTS = 128;

/** Plain counters of the front-end, read at scrape time. */
export class KafkaMetrics {
  /** Requests by API key and version: index key * 32 + version. */
  private readonly requests = new Float64Array(API_SLOTS * VERSION_SLOTS);
  private readonly topics = new Map<TopicView, TopicMeter>();
  readonly all = new TopicMeter();
  readonly times = new RequestTimes();
  connections = 0;
  connectionsTotal = 0;
  malformedRequests = 0;
  unsupportedRequests = 0;
  parkedFetches = 0;

  countRequest(apiKey: number, version: number): void {
    if (apiKey < API_SLOTS && version < VERSION_SLOTS) {
      const slot = apiKey * VERSION_SLOTS + version;
      this.requests[slot] = (this.requests[slot] ?? 0) + 1;
    }
  }

  requestCount(apiKey: number, version: number): number {
    return this.requests[apiKey * VERSION_SLOTS + version] ?? 0;
  }

  /** The counters of a topic, made on first use. */
  of(topic: TopicView): TopicMeter {
    let meter = this.topics.get(topic);
    if (meter === undefined) {
      meter = new TopicMeter();
      this.topics.set(topic, meter);
    }
    return meter;
  }

  meters(): Iterable<[TopicView, TopicMeter]> {
    return this.topics;
  }

  /** Forgets the counters of a topic that is gone. */
  forget(topic: TopicView): void {
    this.topics.delete(topic);
  }

  produced(topic: TopicView, messages: number, bytes: number): void {
    const meter = this.of(topic);
    meter.messagesIn += messages;
    meter.bytesIn += bytes;
    this.all.messagesIn += messages;
    this.all.bytesIn += bytes;
  }

  fetched(topic: TopicView, bytes: number): void {
    this.of(topic).bytesOut += bytes;
    this.all.bytesOut += bytes;
  }
}
