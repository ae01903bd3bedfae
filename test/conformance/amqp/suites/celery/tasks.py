"""The application that worker and client share. AMQP_URL is the broker, CHECK_QUEUE the queue of this run."""
import os

from celery import Celery
from kombu import Exchange, Queue

QUEUE = os.environ["CHECK_QUEUE"]

app = Celery("checks", broker=os.environ["AMQP_URL"], backend="rpc://")
app.conf.update(
    task_queues=[
        Queue(
            QUEUE,
            Exchange(QUEUE, type="direct"),
            routing_key=QUEUE,
            queue_arguments={"x-max-priority": 10},
        )
    ],
    task_default_queue=QUEUE,
    task_default_exchange=QUEUE,
    task_default_routing_key=QUEUE,
    task_acks_late=True,
    task_send_sent_event=True,
    worker_send_task_events=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    result_expires=120,
)


@app.task(name="multiply")
def multiply(left, right):
    return left * right


@app.task(name="length")
def length(text):
    return len(text)


@app.task(name="refuse")
def refuse(reason):
    raise KeyError(reason)


@app.task(name="third_time", bind=True, max_retries=5)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task(name="delivery")
def delivery():
    return delivery.request.delivery_info.get("priority")


@app.task(name="total")
def total(numbers):
    return sum(numbers)
