// kafka-clients: java -cp JARS Client.java BOOTSTRAP CASE TOPIC
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Client {
  static String bootstrap;
  static String topic;

  interface Case {
    void run() throws Exception;
  }

  static Properties settings(String... pairs) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("client.id", "interop");
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1]);
    return properties;
  }

  static void check(boolean holds, String what) {
    if (!holds) throw new AssertionError(what);
  }

  static void create(int partitions) throws Exception {
    try (Admin admin = Admin.create(settings())) {
      admin.createTopics(List.of(new NewTopic(topic, Optional.of(partitions), Optional.empty()))).all().get();
    }
  }

  static List<ProducerRecord<String, String>> values(int count) {
    return IntStream.range(0, count).mapToObj(i -> new ProducerRecord<String, String>(topic, "v" + i)).toList();
  }

  static void produce(List<ProducerRecord<String, String>> records, String... pairs) throws Exception {
    Properties properties = settings(pairs);
    try (var producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      var sent = new ArrayList<java.util.concurrent.Future<?>>();
      for (var record : records) sent.add(producer.send(record));
      for (var future : sent) future.get();
    }
  }

  static List<ConsumerRecord<String, String>> consume(int count, String... pairs) {
    Properties properties = settings(pairs);
    properties.put("group.id", topic + "-g");
    properties.put("auto.offset.reset", "earliest");
    var records = new ArrayList<ConsumerRecord<String, String>>();
    long deadline = System.currentTimeMillis() + 30_000;
    try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      while (records.size() < count && System.currentTimeMillis() < deadline) {
        consumer.poll(Duration.ofMillis(500)).forEach(records::add);
      }
      consumer.commitSync();
    }
    check(records.size() == count, records.size() + " of " + count + " read");
    return records;
  }

  static Case compressed(String codec) {
    return () -> {
      produce(values(100), "compression.type", codec, "linger.ms", "50");
      consume(100);
    };
  }

  static void roundtrip() throws Exception {
    create(3);
    var records = new ArrayList<ProducerRecord<String, String>>();
    for (int i = 0; i < 300; i++) records.add(new ProducerRecord<>(topic, "k" + i % 10, "v" + i));
    produce(records);
    Map<String, Integer> last = new HashMap<>();
    for (var record : consume(300)) {
      int number = Integer.parseInt(record.value().substring(1));
      check(last.getOrDefault(record.key(), -1) < number, "order of " + record.key());
      last.put(record.key(), number);
    }
  }

  static void headers() throws Exception {
    create(1);
    var record = new ProducerRecord<String, String>(topic, "k", null);
    record.headers().add("a", "b".getBytes());
    produce(List.of(record));
    var read = consume(1).get(0);
    check(read.value() == null && new String(read.headers().lastHeader("a").value()).equals("b"), "header or tombstone");
  }

  static void group() throws Exception {
    create(4);
    var records = new ArrayList<ProducerRecord<String, String>>();
    for (int i = 0; i < 100; i++) records.add(new ProducerRecord<>(topic, i % 4, null, "v" + i));
    produce(records);
    consume(100, "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
    try (Admin admin = Admin.create(settings())) {
      var offsets = admin.listConsumerGroupOffsets(topic + "-g").partitionsToOffsetAndMetadata().get();
      long total = offsets.values().stream().mapToLong(offset -> offset.offset()).sum();
      check(total == 100, "committed " + total);
      check(admin.listConsumerGroups().all().get().stream().anyMatch(g -> g.groupId().equals(topic + "-g")), "not listed");
    }
  }

  static void idempotent() throws Exception {
    create(1);
    produce(values(500), "enable.idempotence", "true", "acks", "all");
    consume(500);
  }

  static void large() throws Exception {
    create(1);
    produce(List.of(new ProducerRecord<>(topic, "x".repeat(900_000))));
    check(consume(1).get(0).value().length() == 900_000, "size");
  }

  static void times() throws Exception {
    create(1);
    var records = new ArrayList<ProducerRecord<String, String>>();
    for (int i = 0; i < 10; i++) records.add(new ProducerRecord<>(topic, 0, 1_700_000_000_000L + i, null, "v" + i));
    produce(records);
    Properties properties = settings();
    try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      var partition = new TopicPartition(topic, 0);
      check(consumer.offsetsForTimes(Map.of(partition, 1_700_000_000_005L)).get(partition).offset() == 5, "offset for time");
      check(consumer.endOffsets(List.of(partition)).get(partition) == 10, "end offset");
    }
  }

  static void admin() throws Exception {
    create(2);
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Admin.create(settings())) {
      var set = new AlterConfigOp(new ConfigEntry("retention.ms", "3600000"), AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
      var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
      check(config.get("retention.ms").value().equals("3600000"), "retention.ms");
      admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
      check(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 3, "partitions");
      check(admin.describeCluster().nodes().get().size() == 1, "nodes");
      admin.deleteTopics(List.of(topic)).all().get();
      check(!admin.listTopics().names().get().contains(topic), "still listed");
    }
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    topic = args[2];
    Map<String, Case> cases = new HashMap<>();
    cases.put("roundtrip", Client::roundtrip);
    cases.put("headers", Client::headers);
    for (String codec : List.of("gzip", "snappy", "lz4", "zstd")) cases.put(codec, compressed(codec));
    cases.put("group", Client::group);
    cases.put("idempotent", Client::idempotent);
    cases.put("large", Client::large);
    cases.put("times", Client::times);
    cases.put("admin", Client::admin);
    Case chosen = cases.get(args[1]);
    if (chosen == null) System.exit(3);
    chosen.run();
    System.exit(0);
  }
}
