// lapin: interop URL CASE NAME
use std::process::exit;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::*;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const LACKS_IT: i32 = 3;

struct Bench {
    out: Channel,
    into: Channel,
    receiver: Connection,
    queue: String,
    exchange: String,
    dead: String,
}

fn same<T: PartialEq + std::fmt::Debug>(actual: T, expected: T, what: &str) -> Result<(), Failure> {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{what}: {actual:?} instead of {expected:?}").into())
}

fn table(entries: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert((*name).into(), value.clone());
    }
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("m{number}")).collect()
}

fn texts(deliveries: &[Delivery]) -> Vec<String> {
    deliveries
        .iter()
        .map(|delivery| String::from_utf8_lossy(&delivery.data).into_owned())
        .collect()
}

async fn take(consumer: &mut Consumer, count: usize) -> Result<Vec<Delivery>, Failure> {
    let mut found = Vec::new();
    while found.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(30), consumer.next()).await?;
        found.push(next.ok_or("the consumer ended")??);
    }
    Ok(found)
}

async fn consume(channel: &Channel, queue: &str, no_ack: bool, args: FieldTable) -> Result<Consumer, Failure> {
    let mut options = BasicConsumeOptions::default();
    options.no_ack = no_ack;
    Ok(channel.basic_consume(queue.into(), "".into(), options, args).await?)
}

impl Bench {
    async fn declare(&self, queue: &str, args: FieldTable) -> Result<(), Failure> {
        self.out.queue_declare(queue.into(), QueueDeclareOptions::durable(), args).await?;
        Ok(())
    }

    async fn publish(&self, exchange: &str, key: &str, body: &[u8], properties: BasicProperties) -> Result<(), Failure> {
        self.out
            .basic_publish(exchange.into(), key.into(), BasicPublishOptions::default(), body, properties)
            .await?
            .await?;
        Ok(())
    }

    async fn put(&self, body: &str) -> Result<(), Failure> {
        self.publish("", &self.queue, body.as_bytes(), BasicProperties::default()).await
    }

    async fn subscribe(&self, kind: ExchangeKind, keys: &[&str], args: FieldTable) -> Result<Consumer, Failure> {
        let mut exchange = ExchangeDeclareOptions::default();
        exchange.auto_delete = true;
        self.into
            .exchange_declare(self.exchange.as_str().into(), kind, exchange, FieldTable::default())
            .await?;
        let mut own = QueueDeclareOptions::default();
        own.exclusive = true;
        let queue = self.into.queue_declare("".into(), own, FieldTable::default()).await?;
        let name = queue.name().as_str().to_owned();
        for key in keys {
            self.into
                .queue_bind(
                    name.as_str().into(),
                    self.exchange.as_str().into(),
                    (*key).into(),
                    QueueBindOptions::default(),
                    args.clone(),
                )
                .await?;
        }
        consume(&self.into, &name, true, FieldTable::default()).await
    }

    async fn hello(&self) -> Result<(), Failure> {
        self.declare(&self.queue, FieldTable::default()).await?;
        self.put("Hello World!").await?;
        let mut consumer = consume(&self.into, &self.queue, true, FieldTable::default()).await?;
        same(texts(&take(&mut consumer, 1).await?), vec!["Hello World!".to_owned()], "messages")
    }

    async fn worker(&self) -> Result<Consumer, Failure> {
        let channel = self.receiver.create_channel().await?;
        channel.basic_qos(1, BasicQosOptions::default()).await?;
        consume(&channel, &self.queue, false, FieldTable::default()).await
    }

    async fn fairness(&self) -> Result<(), Failure> {
        self.declare(&self.queue, FieldTable::default()).await?;
        let mut slow = self.worker().await?;
        let mut fast = self.worker().await?;
        for body in numbered(10) {
            self.put(&body).await?;
        }
        for _ in 0..9 {
            take(&mut fast, 1).await?[0].ack(BasicAckOptions::default()).await?;
        }
        take(&mut slow, 1).await?;
        Ok(())
    }

    async fn pubsub(&self) -> Result<(), Failure> {
        let mut first = self.subscribe(ExchangeKind::Fanout, &[""], FieldTable::default()).await?;
        let mut second = self.subscribe(ExchangeKind::Fanout, &[""], FieldTable::default()).await?;
        for body in numbered(3) {
            self.publish(&self.exchange, "", body.as_bytes(), BasicProperties::default()).await?;
        }
        same(texts(&take(&mut first, 3).await?), numbered(3), "logs")?;
        same(texts(&take(&mut second, 3).await?), numbered(3), "logs")
    }

    async fn keys(&self, kind: ExchangeKind, bound: &[&str], sent: &[&str], expected: &[&str]) -> Result<(), Failure> {
        let mut consumer = self.subscribe(kind, bound, FieldTable::default()).await?;
        for key in sent {
            self.publish(&self.exchange, key, key.as_bytes(), BasicProperties::default()).await?;
        }
        let expected: Vec<String> = expected.iter().map(|key| (*key).to_owned()).collect();
        same(texts(&take(&mut consumer, expected.len()).await?), expected, "keys")
    }

    async fn confirms(&self) -> Result<(), Failure> {
        self.declare(&self.queue, FieldTable::default()).await?;
        self.out.confirm_select(ConfirmSelectOptions::default()).await?;
        for body in numbered(100) {
            let confirm = self
                .out
                .basic_publish(
                    "".into(),
                    self.queue.as_str().into(),
                    BasicPublishOptions::default(),
                    body.as_bytes(),
                    BasicProperties::default().with_delivery_mode(2),
                )
                .await?
                .await?;
            same(confirm.is_ack(), true, "confirm")?;
        }
        Ok(())
    }

    async fn mandatory(&self) -> Result<(), Failure> {
        self.out.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut options = BasicPublishOptions::default();
        options.mandatory = true;
        let confirm = self
            .out
            .basic_publish("".into(), self.dead.as_str().into(), options, b"x", BasicProperties::default())
            .await?
            .await?;
        let returned = confirm.take_message().ok_or("nothing was returned")?;
        same(returned.reply_code, 312, "return")
    }

    async fn dead_letters(&self) -> Result<(), Failure> {
        self.declare(&self.dead, FieldTable::default()).await?;
        let args = table(&[
            ("x-message-ttl", AMQPValue::LongInt(50)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&self.dead)),
        ]);
        self.declare(&self.queue, args).await?;
        self.put("late").await?;
        let mut consumer = consume(&self.into, &self.dead, true, FieldTable::default()).await?;
        let deliveries = take(&mut consumer, 1).await?;
        let headers = deliveries[0].properties.headers().clone().unwrap_or_default();
        same(headers.contains_key("x-death"), true, "x-death")
    }

    async fn stream(&self) -> Result<(), Failure> {
        self.declare(&self.queue, table(&[("x-queue-type", text("stream"))])).await?;
        self.out.confirm_select(ConfirmSelectOptions::default()).await?;
        for body in numbered(10) {
            self.put(&body).await?;
        }
        self.into.basic_qos(100, BasicQosOptions::default()).await?;
        let args = table(&[("x-stream-offset", text("first"))]);
        let mut consumer = consume(&self.into, &self.queue, false, args).await?;
        same(texts(&take(&mut consumer, 10).await?), numbered(10), "from the first")
    }

    async fn headers(&self) -> Result<(), Failure> {
        let both = [("x-match", text("all")), ("a", AMQPValue::LongInt(1)), ("b", text("x"))];
        let mut consumer = self.subscribe(ExchangeKind::Headers, &[""], table(&both)).await?;
        for count in [1, 2] {
            let properties = BasicProperties::default().with_headers(table(&both[1..=count]));
            self.publish(&self.exchange, "", count.to_string().as_bytes(), properties).await?;
        }
        same(texts(&take(&mut consumer, 1).await?), vec!["2".to_owned()], "all")
    }

    async fn transactions(&self) -> Result<(), Failure> {
        self.declare(&self.queue, FieldTable::default()).await?;
        self.out.tx_select().await?;
        self.put("rolled back").await?;
        self.out.tx_rollback().await?;
        self.put("committed").await?;
        self.out.tx_commit().await?;
        let mut consumer = consume(&self.into, &self.queue, true, FieldTable::default()).await?;
        same(texts(&take(&mut consumer, 1).await?), vec!["committed".to_owned()], "messages")
    }

    async fn large(&self) -> Result<(), Failure> {
        self.declare(&self.queue, FieldTable::default()).await?;
        let body = b"abcdefgh".repeat((10 << 20) / 8);
        self.publish("", &self.queue, &body, BasicProperties::default()).await?;
        let mut consumer = consume(&self.into, &self.queue, true, FieldTable::default()).await?;
        same(take(&mut consumer, 1).await?[0].data == body, true, "content")
    }

    async fn run(&self, name: &str) -> Result<(), Failure> {
        match name {
            "hello" => self.hello().await,
            "fairness" => self.fairness().await,
            "pubsub" => self.pubsub().await,
            "routing" => self.keys(ExchangeKind::Direct, &["error"], &["info", "error"], &["error"]).await,
            "topics" => {
                let sent = ["a.orange.b", "orange", "lazy.x"];
                self.keys(ExchangeKind::Topic, &["*.orange.*", "lazy.#"], &sent, &["a.orange.b", "lazy.x"]).await
            }
            "confirms" => self.confirms().await,
            "mandatory" => self.mandatory().await,
            "ttl-dlx" => self.dead_letters().await,
            "stream" => self.stream().await,
            "headers" => self.headers().await,
            "tx" => self.transactions().await,
            "large" => self.large().await,
            _ => exit(LACKS_IT),
        }
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let url = format!("{}/%2f", args[1]);
    let result = async {
        let sender = Connection::connect(&url, ConnectionProperties::default()).await?;
        let receiver = Connection::connect(&url, ConnectionProperties::default()).await?;
        let bench = Bench {
            out: sender.create_channel().await?,
            into: receiver.create_channel().await?,
            receiver,
            queue: format!("{}.q", args[3]),
            exchange: format!("{}.x", args[3]),
            dead: format!("{}.dead", args[3]),
        };
        bench.run(&args[2]).await
    };
    if let Err(error) = result.await {
        eprintln!("{error}");
        exit(1);
    }
}
