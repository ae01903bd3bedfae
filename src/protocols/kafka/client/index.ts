import { KafkaCluster, type ClusterSettings } from './cluster.ts';
import { KafkaConsumer, type ConsumerSettings } from './consumer.ts';
import { KafkaProducer, type Delivery, type ProducerSettings } from './producer.ts';

/** A client of one Kafka cluster. */
export class KafkaClient {
  private readonly cluster: KafkaCluster;

  constructor(settings: ClusterSettings) {
    this.cluster = new KafkaCluster(settings);
  }

  producer(
    settings: Partial<ProducerSettings> & { readonly topic: string },
    onDelivery: (delivery: Delivery) => void,
  ): Promise<KafkaProducer> {
    return KafkaProducer.create(this.cluster, settings, onDelivery);
  }

  /** Ready to poll. */
  async consumer(settings: ConsumerSettings): Promise<KafkaConsumer> {
    const consumer = new KafkaConsumer(this.cluster, settings);
    await consumer.start();
    return consumer;
  }

  topicNames(): Promise<string[]> {
    return this.cluster.topicNames();
  }

  close(): Promise<void> {
    return this.cluster.close();
  }
}
