import { Kafka, logLevel } from 'kafkajs';

/** The service under test: counts what it reads. */
export async function countOrders(bootstrapServers, use) {
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const counter = { count: 0 };
  // kafkajs ends its fetch under way before it disconnects: 5 s unless it is told to wait less.
  const consumer = kafka.consumer({ groupId: 'order-counter', maxWaitTimeInMs: 100 });
  const producer = kafka.producer();
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true });
    await consumer.run({
      eachMessage: () => {
        counter.count++;
        return Promise.resolve();
      },
    });
    await producer.connect();
    const messages = ['a', 'b', 'c'].map((value) => ({ key: 'k', value }));
    await producer.send({ topic: 'orders', messages });
    await use(counter);
  } finally {
    await producer.disconnect();
    await consumer.disconnect();
  }
}
