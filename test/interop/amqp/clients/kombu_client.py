"""kombu over py-amqp: python kombu_client.py URL CASE NAME"""
import sys
import time

from kombu import Connection, Consumer, Exchange, Producer, Queue

from common import MEGABYTE, fibonacci, run_case, same

URL, CASE, PREFIX = sys.argv[1:4]
QUEUE, EXCHANGE, DEAD = f"{PREFIX}.q", f"{PREFIX}.x", f"{PREFIX}.dead"
sender = Connection(URL, transport_options={"confirm_publish": True})
receiver = Connection(URL)
out = sender.channel()
into = receiver.channel()


def put(body, key=QUEUE, exchange="", **options):
    Producer(out).publish(body, routing_key=key, exchange=exchange, **options)


def take(queue, count, prefetch=None, **options):
    """The next messages of a queue, acknowledged."""
    found = []
    channel = receiver.channel()

    def on_message(message):
        found.append(message)
        if not options.get("no_ack"):
            message.ack()

    consumer = Consumer(channel, [queue], on_message=on_message, **options)
    if prefetch is not None:
        consumer.qos(prefetch_count=prefetch)
    with consumer:
        while len(found) < count:
            receiver.drain_events(timeout=30)
    return found


def texts(messages):
    return [str(message.payload) for message in messages]


def declared(arguments=None, **options):
    return Queue(QUEUE, queue_arguments=arguments, **options)(into).declare() and Queue(QUEUE, no_declare=True)


def bound(kind, keys, arguments=None):
    exchange = Exchange(EXCHANGE, kind, durable=False, auto_delete=True)
    name = f"{QUEUE}.{len(keys)}.{arguments and arguments['x-match']}"
    queue = Queue(name, exchange, routing_key=keys[0], exclusive=True, binding_arguments=arguments)(into)
    queue.declare()
    for key in keys[1:]:
        queue.bind_to(exchange, key)
    return Queue(name, no_declare=True)


def hello():
    queue = declared()
    put("Hello World!")
    same(texts(take(queue, 1)), ["Hello World!"], "messages")


def work():
    queue = declared()
    done = []
    consumers = []
    for index in range(2):
        def on_message(message, index=index):
            message.ack()
            done.append((index, message.payload))

        consumer = Consumer(receiver.channel(), [queue], on_message=on_message)
        consumer.qos(prefetch_count=1)
        consumer.consume()
        consumers.append(consumer)
    for number in range(20):
        put(f"m{number}", delivery_mode=2)
    while len(done) < 20:
        receiver.drain_events(timeout=30)
    same(len({body for _, body in done}), 20, "tasks")
    same(len({index for index, _ in done}), 2, "workers")


def pubsub():
    queues = [bound("fanout", ["a"]), bound("fanout", ["a", "b"])]
    for number in range(3):
        put(f"m{number}", "", EXCHANGE)
    for queue in queues:
        same(texts(take(queue, 3)), ["m0", "m1", "m2"], "logs")


def routing():
    errors = bound("direct", ["error"])
    everything = bound("direct", ["info", "warning", "error"])
    for key in ["info", "error", "debug", "warning", "error"]:
        put(key, key, EXCHANGE)
    same(texts(take(everything, 4)), ["info", "error", "warning", "error"], "all")
    same(texts(take(errors, 2)), ["error", "error"], "errors")


def topics():
    queue = bound("topic", ["*.orange.*", "lazy.#"])
    for key in ["a.orange.b", "orange", "lazy.x.y"]:
        put(key, key, EXCHANGE)
    same(texts(take(queue, 2)), ["a.orange.b", "lazy.x.y"], "topics")


def rpc():
    queue = declared()
    callback = Queue(f"{QUEUE}.callback", exclusive=True)(out)
    callback.declare()
    put("12", reply_to=callback.name, correlation_id="1")
    [request] = take(queue, 1)
    answer = str(fibonacci(int(request.payload)))
    Producer(into).publish(answer, routing_key=request.properties["reply_to"], correlation_id=request.properties["correlation_id"])
    reply = None
    while reply is None:
        reply = callback.get(no_ack=True)
    same((reply.properties["correlation_id"], reply.payload), ("1", "144"), "answer")


def confirms():
    declared()
    for number in range(100):
        put(f"m{number}", delivery_mode=2)
    same(into.queue_declare(QUEUE, passive=True).message_count, 100, "messages")


def mandatory():
    returned = []
    producer = Producer(out, on_return=lambda error, *_: returned.append(error.reply_code))
    producer.publish("x", routing_key=DEAD, mandatory=True)
    while not returned:
        sender.drain_events(timeout=30)
    same(returned, [312], "return")


def priority():
    queue = declared({"x-max-priority": 10})
    for number in [1, 5, 9, 3]:
        put(str(number), priority=number)
    same(texts(take(queue, 4)), ["9", "5", "3", "1"], "order")


def ttl_dlx():
    dead = Queue(DEAD)(into)
    dead.declare()
    declared({"x-message-ttl": 50, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD})
    put("late")
    [message] = take(Queue(DEAD, no_declare=True), 1)
    [death] = message.headers["x-death"]
    same((death["reason"], death["queue"], death["count"]), ("expired", QUEUE, 1), "x-death")


def delayed():
    exchange = Exchange(EXCHANGE, "x-delayed-message", arguments={"x-delayed-type": "direct"})
    Queue(QUEUE, exchange, routing_key="k")(into).declare()
    started = time.monotonic()
    for delay in [600, 200]:
        put(str(delay), "k", EXCHANGE, headers={"x-delay": delay})
    same(texts(take(Queue(QUEUE, no_declare=True), 2)), ["200", "600"], "order")
    assert time.monotonic() - started >= 0.59, "came too early"


def quorum():
    Queue(DEAD)(into).declare()
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 2}
    arguments.update({"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD})
    queue = declared(arguments)
    put("poison")
    deliveries = []

    def on_message(message):
        deliveries.append(message)
        message.requeue()

    with Consumer(receiver.channel(), [queue], on_message=on_message):
        while len(deliveries) < 3:
            receiver.drain_events(timeout=30)
    [message] = take(Queue(DEAD, no_declare=True), 1)
    same(message.headers["x-death"][0]["reason"], "delivery_limit", "reason")


def stream():
    declared({"x-queue-type": "stream"})
    for number in range(10):
        put(f"m{number}")
    queue = Queue(QUEUE, no_declare=True, consumer_arguments={"x-stream-offset": 5})
    found = take(queue, 5, prefetch=100)
    same([message.headers["x-stream-offset"] for message in found], [5, 6, 7, 8, 9], "offsets")


def headers():
    both = bound("headers", [""], {"x-match": "all", "a": 1, "b": "x"})
    either = bound("headers", [""], {"x-match": "any", "a": 1, "b": "x"})
    for body, values in [("one", {"a": 1}), ("none", {"a": 2}), ("both", {"a": 1, "b": "x"})]:
        put(body, "", EXCHANGE, headers=values)
    same(texts(take(either, 2)), ["one", "both"], "any")
    same(texts(take(both, 1)), ["both"], "all")


def tx():
    declared()
    channel = receiver.channel()
    channel.tx_select()
    producer = Producer(channel)
    producer.publish("rolled back", routing_key=QUEUE)
    channel.tx_rollback()
    producer.publish("committed", routing_key=QUEUE)
    channel.tx_commit()
    same(texts(take(Queue(QUEUE, no_declare=True), 1)), ["committed"], "messages")


def large():
    queue = declared()
    body = b"abcdefgh" * (10 * MEGABYTE // 8)
    put(body, content_type="application/octet-stream", content_encoding="binary")
    [message] = take(queue, 1)
    assert bytes(message.body) == body, "content"


run_case(CASE, globals())
