// sarama: interop BOOTSTRAP CASE TOPIC
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

var bootstrap, topic string

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID = "interop"
	c.Version = sarama.V3_6_0_0
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

func create(partitions int32) error {
	admin, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
	if err != nil {
		return err
	}
	defer admin.Close()
	return admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false)
}

func produce(c *sarama.Config, messages []*sarama.ProducerMessage) error {
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, c)
	if err != nil {
		return err
	}
	defer producer.Close()
	return producer.SendMessages(messages)
}

func values(count int) []*sarama.ProducerMessage {
	out := make([]*sarama.ProducerMessage, count)
	for i := range out {
		out[i] = &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(fmt.Sprintf("v%d", i))}
	}
	return out
}

type handler struct {
	want   int
	got    []*sarama.ConsumerMessage
	cancel context.CancelFunc
	feed   chan *sarama.ConsumerMessage
}

func (h *handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (h *handler) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			s.MarkMessage(m, "")
			h.feed <- m
		case <-s.Context().Done():
			return nil
		}
	}
}

func consume(count int) ([]*sarama.ConsumerMessage, error) {
	group, err := sarama.NewConsumerGroup([]string{bootstrap}, topic+"-g", config())
	if err != nil {
		return nil, err
	}
	defer group.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	h := &handler{feed: make(chan *sarama.ConsumerMessage, 16)}
	failed := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{topic}, h); err != nil {
				failed <- err
				return
			}
		}
	}()
	var got []*sarama.ConsumerMessage
	for len(got) < count {
		select {
		case m := <-h.feed:
			got = append(got, m)
		case err := <-failed:
			return nil, err
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d read", len(got), count)
		}
	}
	return got, nil
}

func compressed(codec sarama.CompressionCodec) func() error {
	return func() error {
		if err := create(1); err != nil {
			return err
		}
		c := config()
		c.Producer.Compression = codec
		if err := produce(c, values(100)); err != nil {
			return err
		}
		_, err := consume(100)
		return err
	}
}

func run(name string) error {
	switch name {
	case "roundtrip":
		if err := create(3); err != nil {
			return err
		}
		messages := values(300)
		for i, m := range messages {
			m.Key = sarama.StringEncoder(fmt.Sprintf("k%d", i%10))
		}
		if err := produce(config(), messages); err != nil {
			return err
		}
		_, err := consume(300)
		return err
	case "headers":
		if err := create(1); err != nil {
			return err
		}
		m := &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder("k"), Headers: []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("b")}}}
		if err := produce(config(), []*sarama.ProducerMessage{m}); err != nil {
			return err
		}
		got, err := consume(1)
		if err == nil && (len(got[0].Headers) != 1 || string(got[0].Headers[0].Value) != "b") {
			return fmt.Errorf("header lost")
		}
		return err
	case "gzip":
		return compressed(sarama.CompressionGZIP)()
	case "snappy":
		return compressed(sarama.CompressionSnappy)()
	case "lz4":
		return compressed(sarama.CompressionLZ4)()
	case "zstd":
		return compressed(sarama.CompressionZSTD)()
	case "group":
		if err := create(4); err != nil {
			return err
		}
		if err := produce(config(), values(100)); err != nil {
			return err
		}
		_, err := consume(100)
		return err
	case "idempotent":
		if err := create(1); err != nil {
			return err
		}
		c := config()
		c.Producer.Idempotent = true
		c.Net.MaxOpenRequests = 1
		if err := produce(c, values(500)); err != nil {
			return err
		}
		_, err := consume(500)
		return err
	case "large":
		if err := create(1); err != nil {
			return err
		}
		m := &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(strings.Repeat("x", 900_000))}
		if err := produce(config(), []*sarama.ProducerMessage{m}); err != nil {
			return err
		}
		got, err := consume(1)
		if err == nil && len(got[0].Value) != 900_000 {
			return fmt.Errorf("size %d", len(got[0].Value))
		}
		return err
	case "admin":
		if err := create(2); err != nil {
			return err
		}
		admin, err := sarama.NewClusterAdmin([]string{bootstrap}, config())
		if err != nil {
			return err
		}
		defer admin.Close()
		if err := admin.CreatePartitions(topic, 3, nil, false); err != nil {
			return err
		}
		if _, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic}); err != nil {
			return err
		}
		return admin.DeleteTopic(topic)
	}
	os.Exit(3)
	return nil
}

func main() {
	bootstrap, topic = os.Args[1], os.Args[3]
	if err := run(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
