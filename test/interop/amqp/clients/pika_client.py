"""pika: python pika_client.py URL CASE NAME"""
import sys
import time

import pika

from common import run_case, same, fibonacci, MEGABYTE

URL, CASE, PREFIX = sys.argv[1:4]
QUEUE, EXCHANGE, DEAD = f"{PREFIX}.q", f"{PREFIX}.x", f"{PREFIX}.dead"
sender = pika.BlockingConnection(pika.URLParameters(URL))
receiver = pika.BlockingConnection(pika.URLParameters(URL))
out = sender.channel()
into = receiver.channel()


def put(body, key=QUEUE, exchange="", **properties):
    mandatory = properties.pop("mandatory", False)
    out.basic_publish(exchange, key, body, pika.BasicProperties(**properties), mandatory)


def take(queue, count, channel=None, **options):
    """The next messages of a queue: method, properties, body."""
    channel = channel or into
    found = []
    for message in channel.consume(queue, inactivity_timeout=30, **options):
        if message[0] is None:
            raise AssertionError(f"{len(found)} of {count} messages came")
        found.append(message)
        if options.get("auto_ack") is not True and options.get("keep") is not True:
            channel.basic_ack(message[0].delivery_tag)
        if len(found) == count:
            break
    channel.cancel()
    return found


def texts(messages):
    return [body.decode() for _, _, body in messages]


def subscribe(kind, keys, arguments=None):
    into.exchange_declare(EXCHANGE, kind)
    queue = into.queue_declare("", exclusive=True).method.queue
    for key in keys:
        into.queue_bind(queue, EXCHANGE, key, arguments=arguments)
    return queue


def until_ready(queue, count):
    while into.queue_declare(queue, passive=True).method.message_count != count:
        time.sleep(0.02)


def hello():
    out.queue_declare(QUEUE)
    put("Hello World!")
    same(texts(take(QUEUE, 1)), ["Hello World!"], "messages")


def work():
    into.queue_declare(QUEUE, durable=True)
    done = []
    for index in range(2):
        channel = receiver.channel()
        channel.basic_qos(prefetch_count=1)

        def on_task(channel, method, _properties, body, index=index):
            channel.basic_ack(method.delivery_tag)
            done.append((index, body))

        channel.basic_consume(QUEUE, on_task)
    for number in range(20):
        put(f"m{number}", delivery_mode=2)
    while len(done) < 20:
        receiver.process_data_events(1)
    same(len({body for _, body in done}), 20, "tasks")
    same(len({index for index, _ in done}), 2, "workers")


def pubsub():
    queues = [subscribe("fanout", [""]), subscribe("fanout", [""])]
    for number in range(3):
        put(f"m{number}", "", EXCHANGE)
    for queue in queues:
        same(texts(take(queue, 3)), ["m0", "m1", "m2"], "logs")


def routing():
    errors = subscribe("direct", ["error"])
    everything = subscribe("direct", ["info", "warning", "error"])
    for key in ["info", "error", "debug", "warning", "error"]:
        put(key, key, EXCHANGE)
    same(texts(take(everything, 4)), ["info", "error", "warning", "error"], "all")
    same(texts(take(errors, 2)), ["error", "error"], "errors")


def topics():
    orange = subscribe("topic", ["*.orange.*"])
    others = subscribe("topic", ["*.*.rabbit", "lazy.#"])
    keys = ["quick.orange.rabbit", "lazy.orange.elephant", "quick.brown.fox", "lazy", "lazy.pink.rabbit"]
    for key in keys:
        put(key, key, EXCHANGE)
    same(texts(take(others, 4)), [keys[0], keys[1], keys[3], keys[4]], "others")
    same(texts(take(orange, 2)), keys[:2], "orange")


def rpc():
    into.queue_declare(QUEUE)

    def on_request(channel, method, properties, body):
        answer = pika.BasicProperties(correlation_id=properties.correlation_id)
        channel.basic_publish("", properties.reply_to, str(fibonacci(int(body))), answer)
        channel.basic_ack(method.delivery_tag)

    into.basic_consume(QUEUE, on_request)
    callback = out.queue_declare("", exclusive=True).method.queue
    answers = []
    out.basic_consume(callback, lambda _c, _m, p, body: answers.append((p.correlation_id, body)), auto_ack=True)
    for number in ["1", "2"]:
        put("12", correlation_id=number, reply_to=callback)
    while len(answers) < 2:
        receiver.process_data_events(0.05)
        sender.process_data_events(0.05)
    same(answers, [("1", b"144"), ("2", b"144")], "answers")


def confirms():
    out.queue_declare(QUEUE)
    out.confirm_delivery()
    for number in range(100):
        put(f"m{number}", delivery_mode=2)
    same(into.queue_declare(QUEUE, passive=True).method.message_count, 100, "messages")


def mandatory():
    out.confirm_delivery()
    try:
        put("x", f"{PREFIX}.nowhere", mandatory=True, message_id="id")
    except pika.exceptions.UnroutableError as error:
        [message] = error.messages
        same((message.method.reply_code, message.method.reply_text), (312, "NO_ROUTE"), "return")
        same(message.properties.message_id, "id", "id")
    else:
        raise AssertionError("nothing was returned")


def cancel():
    out.queue_declare(QUEUE)
    cancelled = []
    into.add_on_cancel_callback(cancelled.append)
    into.basic_consume(QUEUE, lambda *_: None, consumer_tag="mine")
    out.queue_delete(QUEUE)
    while not cancelled:
        receiver.process_data_events(1)
    same(cancelled[0].method.consumer_tag, "mine", "consumer")


def priority():
    out.queue_declare(QUEUE, arguments={"x-max-priority": 10})
    for number in [1, 5, 9, 3]:
        put(str(number), priority=number)
    until_ready(QUEUE, 4)
    same(texts(take(QUEUE, 4)), ["9", "5", "3", "1"], "order")


def ttl_dlx():
    out.queue_declare(DEAD)
    arguments = {"x-message-ttl": 50, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    out.queue_declare(QUEUE, arguments=arguments)
    put("late")
    [(_, properties, body)] = take(DEAD, 1)
    [death] = properties.headers["x-death"]
    same((death["reason"], death["queue"], death["count"], body), ("expired", QUEUE, 1, b"late"), "x-death")


def delayed():
    out.exchange_declare(EXCHANGE, "x-delayed-message", arguments={"x-delayed-type": "direct"})
    out.queue_declare(QUEUE)
    out.queue_bind(QUEUE, EXCHANGE, "k")
    started = time.monotonic()
    put("later", "k", EXCHANGE, headers={"x-delay": 600})
    put("sooner", "k", EXCHANGE, headers={"x-delay": 200})
    same(texts(take(QUEUE, 2)), ["sooner", "later"], "order")
    assert time.monotonic() - started >= 0.59, "came too early"


def quorum():
    out.queue_declare(DEAD)
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 2}
    arguments.update({"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD})
    out.queue_declare(QUEUE, durable=True, arguments=arguments)
    deliveries = []

    def on_message(channel, method, _properties, _body):
        deliveries.append(method.redelivered)
        channel.basic_nack(method.delivery_tag, requeue=True)

    into.basic_consume(QUEUE, on_message)
    put("poison")
    message = (None, None, None)
    while message[0] is None:
        receiver.process_data_events(0.1)
        message = out.basic_get(DEAD, auto_ack=True)
    same(deliveries, [False, True, True], "deliveries")
    same(message[1].headers["x-death"][0]["reason"], "delivery_limit", "reason")


def stream():
    out.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "stream"})
    out.confirm_delivery()
    for number in range(10):
        put(f"m{number}")
    into.basic_qos(prefetch_count=100)
    first = take(QUEUE, 10, arguments={"x-stream-offset": "first"})
    same(texts(first), [f"m{number}" for number in range(10)], "from the first")
    later = take(QUEUE, 5, arguments={"x-stream-offset": 5})
    same([properties.headers["x-stream-offset"] for _, properties, _ in later], [5, 6, 7, 8, 9], "offsets")


def headers():
    both = subscribe("headers", [""], {"x-match": "all", "a": 1, "b": "x"})
    either = subscribe("headers", [""], {"x-match": "any", "a": 1, "b": "x"})
    for body, values in [("one", {"a": 1}), ("none", {"a": 2}), ("both", {"a": 1, "b": "x"})]:
        put(body, "", EXCHANGE, headers=values)
    same(texts(take(either, 2)), ["one", "both"], "any")
    same(texts(take(both, 1)), ["both"], "all")


def tx():
    out.queue_declare(QUEUE)
    out.tx_select()
    put("rolled back")
    out.tx_rollback()
    put("committed")
    out.tx_commit()
    same(texts(take(QUEUE, 1)), ["committed"], "messages")
    same(into.basic_get(QUEUE)[0], None, "the rest")


def reply_to():
    into.queue_declare(QUEUE)

    def on_request(channel, _method, properties, _body):
        channel.basic_publish("", properties.reply_to, "answer")

    into.basic_consume(QUEUE, on_request, auto_ack=True)
    answers = []
    out.basic_consume("amq.rabbitmq.reply-to", lambda _c, _m, _p, body: answers.append(body), auto_ack=True)
    put("question", reply_to="amq.rabbitmq.reply-to")
    while not answers:
        receiver.process_data_events(0.05)
        sender.process_data_events(0.05)
    same(answers, [b"answer"], "answer")


def large():
    out.queue_declare(QUEUE)
    body = b"abcdefgh" * (10 * MEGABYTE // 8)
    put(body)
    [(_, _, received)] = take(QUEUE, 1)
    assert received == body, "content"


def fairness():
    into.queue_declare(QUEUE)
    slow, fast = [], []

    def on_slow(_channel, _method, _properties, body):
        slow.append(body)

    def on_fast(channel, method, _properties, body):
        channel.basic_ack(method.delivery_tag)
        fast.append(body)

    for callback in [on_slow, on_fast]:
        channel = receiver.channel()
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(QUEUE, callback)
    for number in range(10):
        put(f"m{number}")
    while len(fast) < 9:
        receiver.process_data_events(1)
    same(len(slow), 1, "with the slow one")


run_case(CASE, globals())
