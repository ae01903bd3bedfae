"""confluent-kafka (librdkafka): confluent.py BOOTSTRAP CASE TOPIC"""

import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

bootstrap, case, topic = sys.argv[1:4]
base = {"bootstrap.servers": bootstrap, "client.id": "interop"}
admin_client = AdminClient(base)


def create(partitions, config=None):
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config or {})
    admin_client.create_topics([new])[topic].result(20)


def produce(records, **settings):
    failures = []
    producer = Producer({**base, "acks": "all", **settings})
    for record in records:
        producer.produce(topic, on_delivery=lambda e, _: failures.append(e) if e else None, **record)
        producer.poll(0)
    assert producer.flush(30) == 0, "not all delivered"
    assert not failures, failures


def consume(count, group, seconds=30):
    consumer = Consumer({**base, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    messages, deadline = [], time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and not message.error():
            messages.append(message)
    consumer.commit(asynchronous=False)
    consumer.close()
    assert len(messages) == count, f"{len(messages)} of {count} read"
    return messages


def values(count):
    return [{"value": f"v{i}"} for i in range(count)]


def roundtrip():
    create(3)
    produce({"key": f"k{i % 10}", "value": f"v{i}"} for i in range(300))
    last = {}
    for message in consume(300, topic + "-g"):
        number = int(message.value()[1:])
        assert last.get(message.key(), -1) < number, "order"
        last[message.key()] = number


def headers():
    create(1)
    produce([{"key": "k", "value": None, "headers": {"a": "b"}}])
    (message,) = consume(1, topic + "-g")
    assert message.value() is None and message.headers() == [("a", b"b")]


def compressed(codec):
    def run():
        produce(values(100), **{"compression.type": codec, "linger.ms": 50})
        consume(100, topic + "-g")

    return run


def group():
    create(4)
    produce({"value": f"v{i}", "partition": i % 4} for i in range(100))
    consume(100, topic + "-g")
    consumer = Consumer({**base, "group.id": topic + "-g"})
    committed = consumer.committed([TopicPartition(topic, p) for p in range(4)], timeout=10)
    consumer.close()
    assert sum(p.offset for p in committed) == 100, committed


def idempotent():
    create(1)
    produce(values(500), **{"enable.idempotence": True})
    consume(500, topic + "-g")


def large():
    create(1)
    produce([{"value": b"x" * 900_000}])
    assert len(consume(1, topic + "-g")[0].value()) == 900_000


def times():
    create(1)
    produce({"value": f"v{i}", "timestamp": 1_700_000_000_000 + i} for i in range(10))
    consumer = Consumer({**base, "group.id": topic + "-g"})
    (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, 1_700_000_000_005)], timeout=10)
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    consumer.close()
    assert (found.offset, low, high) == (5, 0, 10), (found, low, high)


def admin():
    create(2, {"retention.ms": "3600000"})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    config = admin_client.describe_configs([resource])[resource].result(10)
    assert config["retention.ms"].value == "3600000"
    admin_client.create_partitions([NewPartitions(topic, 3)])[topic].result(10)
    assert len(admin_client.list_topics(topic, timeout=10).topics[topic].partitions) == 3
    admin_client.delete_topics([topic])[topic].result(10)
    assert topic not in admin_client.list_topics(timeout=10).topics


cases = {
    "roundtrip": roundtrip,
    "headers": headers,
    "gzip": compressed("gzip"),
    "snappy": compressed("snappy"),
    "lz4": compressed("lz4"),
    "zstd": compressed("zstd"),
    "group": group,
    "idempotent": idempotent,
    "large": large,
    "times": times,
    "admin": admin,
}
if case not in cases:
    sys.exit(3)
cases[case]()
