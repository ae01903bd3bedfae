"""Celery and kombu against one broker: prints `PASS name` or `FAIL name: why` per check. AMQP_URL is the broker."""
import os
import re
import subprocess
import sys
import threading
import time
import uuid

RUN = uuid.uuid4().hex[:8]
os.environ.setdefault("CHECK_QUEUE", f"checks-{RUN}")

from celery import chain, group  # noqa: E402
from kombu import Connection, Consumer, Exchange, Producer, Queue  # noqa: E402

import tasks  # noqa: E402

URL = os.environ["AMQP_URL"]
ONLY = re.compile(os.environ.get("ONLY", ""))
WAIT = 60
CHECKS = []
EVENTS = []


def check(function):
    CHECKS.append((function.__doc__, function))
    return function


@check
def one_result():
    """a task and its result"""
    assert tasks.multiply.delay(6, 7).get(timeout=WAIT) == 42


@check
def many_results():
    """two hundred tasks, each with its own result"""
    results = [tasks.multiply.delay(number, 2) for number in range(200)]
    assert [result.get(timeout=WAIT) for result in results] == [number * 2 for number in range(200)]


@check
def groups():
    """a group"""
    assert group(tasks.multiply.s(number, 3) for number in range(20))().get(timeout=WAIT) == list(range(0, 60, 3))


@check
def chains():
    """a chain"""
    assert chain(tasks.multiply.s(2, 3), tasks.multiply.s(7), tasks.multiply.s(1))().get(timeout=WAIT) == 42


@check
def exceptions():
    """an exception comes back as itself"""
    try:
        tasks.refuse.delay("no such key").get(timeout=WAIT)
    except KeyError as error:
        assert "no such key" in str(error)
    else:
        raise AssertionError("no exception")


@check
def retries():
    """a task that retries with a countdown"""
    assert tasks.third_time.delay().get(timeout=WAIT) == 2


@check
def countdown():
    """a task for later"""
    started = time.monotonic()
    assert tasks.multiply.apply_async((1, 1), countdown=2).get(timeout=WAIT) == 1
    assert time.monotonic() - started > 1.9


@check
def large():
    """an argument of 4 MB"""
    assert tasks.length.delay("x" * 4_000_000).get(timeout=WAIT) == 4_000_000


@check
def priority():
    """a priority reaches the worker"""
    assert tasks.delivery.apply_async(priority=7).get(timeout=WAIT) == 7


@check
def ping():
    """remote control, ping"""
    assert any("checks@worker" in reply for reply in tasks.app.control.ping(timeout=3))


@check
def inspect():
    """remote control, queues of a worker"""
    queues = tasks.app.control.inspect(timeout=3).active_queues()
    assert queues["checks@worker"][0]["name"] == tasks.QUEUE


@check
def events():
    """events of tasks"""
    for _ in range(100):
        tasks.multiply.delay(1, 1).get(timeout=WAIT)
        if EVENTS:
            return
        time.sleep(0.1)
    raise AssertionError("no event came")


@check
def simple_queue():
    """SimpleQueue of kombu"""
    with Connection(URL) as connection:
        queue = connection.SimpleQueue(f"simple-{RUN}")
        queue.put({"number": 1}, compression="gzip")
        message = queue.get(timeout=10)
        message.ack()
        queue.close()
        with connection.channel() as channel:
            channel.queue_delete(queue.queue.name)
        assert message.payload == {"number": 1}


@check
def quorum_queue():
    """a quorum queue of kombu, published with confirms"""
    with Connection(URL, transport_options={"confirm_publish": True}) as connection:
        exchange = Exchange(f"quorum-{RUN}", type="topic")
        queue = Queue(f"quorum-{RUN}", exchange, routing_key="a.#", queue_arguments={"x-queue-type": "quorum"})
        seen = []

        def receive(body, message):
            seen.append(body)
            message.ack()

        with connection.channel() as channel:
            Producer(channel, exchange, auto_declare=True).publish("early", routing_key="a.b", declare=[queue])
            with Consumer(channel, [queue], callbacks=[receive]):
                while not seen:
                    connection.drain_events(timeout=10)
            queue(channel).delete()
            exchange(channel).delete()
        assert seen == ["early"]


def listen():
    try:
        with Connection(URL) as connection:
            receiver = tasks.app.events.Receiver(connection, handlers={"task-succeeded": EVENTS.append})
            receiver.capture(limit=None, timeout=None, wakeup=True)
    except Exception as error:
        print(f"events ended: {error}", file=sys.stderr)


def sweep():
    with Connection(URL) as connection:
        with connection.channel() as channel:
            channel.queue_delete(tasks.QUEUE)
            channel.exchange_delete(tasks.QUEUE)


def main():
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tasks", "worker"]
        + ["--pool", "threads", "--concurrency", "2", "--loglevel", "WARNING", "--events", "--hostname", "checks@worker"],
        stdout=sys.stderr,
        stderr=sys.stderr,
    )
    threading.Thread(target=listen, daemon=True).start()
    try:
        for name, run in CHECKS:
            if not ONLY.search(name):
                continue
            try:
                run()
                print(f"PASS {name}", flush=True)
            except Exception as error:
                print(f"FAIL {name}: {type(error).__name__} {error}".replace("\n", " "), flush=True)
    finally:
        worker.terminate()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
        sweep()


if __name__ == "__main__":
    main()
    os._exit(0)
