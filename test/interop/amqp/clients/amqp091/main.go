// amqp091-go: interop URL CASE NAME
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const lacksIt = 3

// bench holds the two connections of a case and its names.
type bench struct {
	sender, receiver      *amqp.Connection
	out, into             *amqp.Channel
	queue, exchange, dead string
}

func must[T any](value T, err error) T {
	ok(err)
	return value
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}

func same(actual, expected any, what string) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("%s: %v instead of %v", what, actual, expected))
	}
}

func numbered(count int) []string {
	found := make([]string, count)
	for i := range found {
		found[i] = "m" + strconv.Itoa(i)
	}
	return found
}

func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

func (b *bench) publish(exchange, key string, message amqp.Publishing) {
	ok(b.out.PublishWithContext(context.Background(), exchange, key, false, false, message))
}

func (b *bench) put(body string) {
	b.publish("", b.queue, amqp.Publishing{Body: []byte(body)})
}

func (b *bench) declare(args amqp.Table) {
	must(b.out.QueueDeclare(b.queue, true, false, false, false, args))
}

func consume(channel *amqp.Channel, queue string, autoAck bool, args amqp.Table) <-chan amqp.Delivery {
	return must(channel.Consume(queue, "", autoAck, false, false, false, args))
}

func take(inbox <-chan amqp.Delivery, count int) []amqp.Delivery {
	found := []amqp.Delivery{}
	for len(found) < count {
		select {
		case delivery := <-inbox:
			found = append(found, delivery)
		case <-time.After(30 * time.Second):
			panic(fmt.Sprintf("%d of %d messages came", len(found), count))
		}
	}
	return found
}

func texts(deliveries []amqp.Delivery) []string {
	found := []string{}
	for _, delivery := range deliveries {
		found = append(found, string(delivery.Body))
	}
	return found
}

func (b *bench) subscribe(kind string, args amqp.Table, keys ...string) <-chan amqp.Delivery {
	ok(b.into.ExchangeDeclare(b.exchange, kind, false, true, false, false, nil))
	own := must(b.into.QueueDeclare("", false, false, true, false, nil))
	for _, key := range keys {
		ok(b.into.QueueBind(own.Name, key, b.exchange, false, args))
	}
	return consume(b.into, own.Name, true, nil)
}

func (b *bench) workers() (*amqp.Channel, <-chan amqp.Delivery, <-chan amqp.Delivery) {
	b.declare(nil)
	var channels [2]*amqp.Channel
	var inboxes [2]<-chan amqp.Delivery
	for i := range channels {
		channels[i] = must(b.receiver.Channel())
		ok(channels[i].Qos(1, 0, false))
		inboxes[i] = consume(channels[i], b.queue, false, nil)
	}
	return channels[1], inboxes[0], inboxes[1]
}

func deathOf(delivery amqp.Delivery) amqp.Table {
	return delivery.Headers["x-death"].([]any)[0].(amqp.Table)
}

var cases = map[string]func(*bench){
	"hello": func(b *bench) {
		b.declare(nil)
		b.put("Hello World!")
		same(texts(take(consume(b.into, b.queue, true, nil), 1)), []string{"Hello World!"}, "messages")
	},
	"work": func(b *bench) {
		_, first, second := b.workers()
		for _, body := range numbered(20) {
			b.publish("", b.queue, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(body)})
		}
		counts := [2]int{}
		for counts[0]+counts[1] < 20 {
			select {
			case delivery := <-first:
				counts[0]++
				ok(delivery.Ack(false))
			case delivery := <-second:
				counts[1]++
				ok(delivery.Ack(false))
			}
		}
		same(counts[0] > 0 && counts[1] > 0, true, "both workers work")
	},
	"pubsub": func(b *bench) {
		inboxes := []<-chan amqp.Delivery{b.subscribe("fanout", nil, ""), b.subscribe("fanout", nil, "")}
		for _, body := range numbered(3) {
			b.publish(b.exchange, "", amqp.Publishing{Body: []byte(body)})
		}
		for _, inbox := range inboxes {
			same(texts(take(inbox, 3)), numbered(3), "logs")
		}
	},
	"routing": func(b *bench) {
		errors := b.subscribe("direct", nil, "error")
		for _, key := range []string{"info", "error", "error"} {
			b.publish(b.exchange, key, amqp.Publishing{Body: []byte(key)})
		}
		same(texts(take(errors, 2)), []string{"error", "error"}, "errors")
	},
	"topics": func(b *bench) {
		inbox := b.subscribe("topic", nil, "*.orange.*", "lazy.#")
		for _, key := range []string{"a.orange.b", "orange", "lazy.x.y"} {
			b.publish(b.exchange, key, amqp.Publishing{Body: []byte(key)})
		}
		same(texts(take(inbox, 2)), []string{"a.orange.b", "lazy.x.y"}, "topics")
	},
	"rpc": func(b *bench) {
		b.declare(nil)
		callback := must(b.out.QueueDeclare("", false, false, true, false, nil))
		answers := consume(b.out, callback.Name, true, nil)
		b.publish("", b.queue, amqp.Publishing{ReplyTo: callback.Name, CorrelationId: "1", Body: []byte("12")})
		request := take(consume(b.into, b.queue, true, nil), 1)[0]
		answer := strconv.Itoa(fibonacci(must(strconv.Atoi(string(request.Body)))))
		reply := amqp.Publishing{CorrelationId: request.CorrelationId, Body: []byte(answer)}
		ok(b.into.PublishWithContext(context.Background(), "", request.ReplyTo, false, false, reply))
		received := take(answers, 1)[0]
		same(received.CorrelationId+" "+string(received.Body), "1 144", "answer")
	},
	"confirms": func(b *bench) {
		b.declare(nil)
		ok(b.out.Confirm(false))
		confirms := b.out.NotifyPublish(make(chan amqp.Confirmation, 100))
		for _, body := range numbered(100) {
			b.put(body)
		}
		for tag := uint64(1); tag <= 100; tag++ {
			same(<-confirms, amqp.Confirmation{DeliveryTag: tag, Ack: true}, "confirm")
		}
	},
	"mandatory": func(b *bench) {
		returns := b.out.NotifyReturn(make(chan amqp.Return, 1))
		ok(b.out.PublishWithContext(context.Background(), "", b.dead, true, false, amqp.Publishing{}))
		returned := <-returns
		same(returned.ReplyCode, uint16(312), "return")
	},
	"cancel": func(b *bench) {
		b.declare(nil)
		cancels := b.into.NotifyCancel(make(chan string, 1))
		must(b.into.Consume(b.queue, "mine", true, false, false, false, nil))
		must(b.out.QueueDelete(b.queue, false, false, false))
		same(<-cancels, "mine", "cancelled")
	},
	"priority": func(b *bench) {
		b.declare(amqp.Table{"x-max-priority": 10})
		for _, priority := range []uint8{1, 5, 9, 3} {
			b.publish("", b.queue, amqp.Publishing{Priority: priority, Body: []byte{'0' + priority}})
		}
		for must(b.into.QueueDeclarePassive(b.queue, true, false, false, false, nil)).Messages < 4 {
			time.Sleep(20 * time.Millisecond)
		}
		same(texts(take(consume(b.into, b.queue, true, nil), 4)), []string{"9", "5", "3", "1"}, "order")
	},
	"ttl-dlx": func(b *bench) {
		must(b.out.QueueDeclare(b.dead, false, false, false, false, nil))
		b.declare(amqp.Table{"x-message-ttl": 50, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": b.dead})
		b.put("late")
		death := deathOf(take(consume(b.into, b.dead, true, nil), 1)[0])
		same([]any{death["reason"], death["queue"], death["count"]}, []any{"expired", b.queue, int64(1)}, "x-death")
	},
	"delayed": func(b *bench) {
		args := amqp.Table{"x-delayed-type": "direct"}
		ok(b.out.ExchangeDeclare(b.exchange, "x-delayed-message", false, false, false, false, args))
		b.declare(nil)
		ok(b.out.QueueBind(b.queue, "k", b.exchange, false, nil))
		for _, delay := range []int32{600, 200} {
			body := []byte(strconv.Itoa(int(delay)))
			b.publish(b.exchange, "k", amqp.Publishing{Headers: amqp.Table{"x-delay": delay}, Body: body})
		}
		same(texts(take(consume(b.into, b.queue, true, nil), 2)), []string{"200", "600"}, "order")
	},
	"quorum": func(b *bench) {
		must(b.out.QueueDeclare(b.dead, false, false, false, false, nil))
		b.declare(amqp.Table{"x-queue-type": "quorum", "x-delivery-limit": 2,
			"x-dead-letter-exchange": "", "x-dead-letter-routing-key": b.dead})
		inbox := consume(b.into, b.queue, false, nil)
		b.put("poison")
		for i := 0; i < 3; i++ {
			ok(take(inbox, 1)[0].Nack(false, true))
		}
		death := deathOf(take(consume(b.out, b.dead, true, nil), 1)[0])
		same(death["reason"], "delivery_limit", "reason")
	},
	"stream": func(b *bench) {
		b.declare(amqp.Table{"x-queue-type": "stream"})
		ok(b.out.Confirm(false))
		confirms := b.out.NotifyPublish(make(chan amqp.Confirmation, 10))
		for _, body := range numbered(10) {
			b.put(body)
		}
		for i := 0; i < 10; i++ {
			<-confirms
		}
		ok(b.into.Qos(100, 0, false))
		offsets := []any{}
		for _, delivery := range take(consume(b.into, b.queue, false, amqp.Table{"x-stream-offset": 5}), 5) {
			offsets = append(offsets, delivery.Headers["x-stream-offset"])
		}
		same(offsets, []any{int64(5), int64(6), int64(7), int64(8), int64(9)}, "offsets")
	},
	"headers": func(b *bench) {
		all := b.subscribe("headers", amqp.Table{"x-match": "all", "a": 1, "b": "x"}, "")
		for index, headers := range []amqp.Table{{"a": 1}, {"a": 1, "b": "x"}} {
			b.publish(b.exchange, "", amqp.Publishing{Headers: headers, Body: []byte(strconv.Itoa(index))})
		}
		same(texts(take(all, 1)), []string{"1"}, "all")
	},
	"tx": func(b *bench) {
		b.declare(nil)
		ok(b.out.Tx())
		b.put("rolled back")
		ok(b.out.TxRollback())
		b.put("committed")
		ok(b.out.TxCommit())
		message, found, err := b.into.Get(b.queue, true)
		ok(err)
		same(found && string(message.Body) == "committed", true, "message")
	},
	"reply-to": func(b *bench) {
		b.declare(nil)
		answers := consume(b.out, "amq.rabbitmq.reply-to", true, nil)
		b.publish("", b.queue, amqp.Publishing{ReplyTo: "amq.rabbitmq.reply-to", Body: []byte("question")})
		request := take(consume(b.into, b.queue, true, nil), 1)[0]
		reply := amqp.Publishing{Body: []byte("answer")}
		ok(b.into.PublishWithContext(context.Background(), "", request.ReplyTo, false, false, reply))
		same(texts(take(answers, 1)), []string{"answer"}, "answer")
	},
	"large": func(b *bench) {
		b.declare(nil)
		body := bytes.Repeat([]byte("abcdefgh"), 10<<20/8)
		b.publish("", b.queue, amqp.Publishing{Body: body})
		same(bytes.Equal(take(consume(b.into, b.queue, true, nil), 1)[0].Body, body), true, "content")
	},
	"fairness": func(b *bench) {
		channel, slow, fast := b.workers()
		for _, body := range numbered(10) {
			b.put(body)
		}
		for i := 0; i < 9; i++ {
			ok(channel.Ack(take(fast, 1)[0].DeliveryTag, false))
		}
		take(slow, 1)
	},
}

func main() {
	url, name, prefix := os.Args[1], os.Args[2], os.Args[3]
	run, known := cases[name]
	if !known {
		os.Exit(lacksIt)
	}
	b := &bench{queue: prefix + ".q", exchange: prefix + ".x", dead: prefix + ".dead"}
	b.sender = must(amqp.Dial(url))
	b.receiver = must(amqp.Dial(url))
	b.out = must(b.sender.Channel())
	b.into = must(b.receiver.Channel())
	run(b)
	ok(b.sender.Close())
	ok(b.receiver.Close())
}
