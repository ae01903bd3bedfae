// RabbitMQ's Java client: java Client URL CASE NAME
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.RpcClient;
import com.rabbitmq.client.RpcClientParams;
import com.rabbitmq.client.RpcServer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

public final class Client {
  private static final int LACKS_IT = 3;
  private static String queue;
  private static String exchange;
  private static String dead;
  private static Connection receiver;
  private static Channel out;
  private static Channel into;

  public static void main(String[] args) throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(args[0]);
    queue = args[2] + ".q";
    exchange = args[2] + ".x";
    dead = args[2] + ".dead";
    int code = 0;
    try (Connection sender = factory.newConnection("sender");
        Connection second = factory.newConnection("receiver")) {
      receiver = second;
      out = sender.createChannel();
      into = receiver.createChannel();
      code = run(args[1]) ? 0 : LACKS_IT;
    } catch (Throwable error) {
      error.printStackTrace();
      code = 1;
    }
    System.exit(code);
  }

  private static boolean run(String name) throws Exception {
    switch (name) {
      case "hello": hello(); break;
      case "work": work(); break;
      case "pubsub": pubsub(); break;
      case "routing": routing(); break;
      case "topics": topics(); break;
      case "rpc": rpc(); break;
      case "confirms": confirms(); break;
      case "mandatory": mandatory(); break;
      case "cancel": cancel(); break;
      case "priority": priority(); break;
      case "ttl-dlx": ttlAndDeadLetter(); break;
      case "delayed": delayed(); break;
      case "quorum": quorum(); break;
      case "stream": stream(); break;
      case "headers": headers(); break;
      case "tx": transactions(); break;
      case "reply-to": directReply(); break;
      case "large": large(); break;
      case "fairness": fairness(); break;
      default: return false;
    }
    return true;
  }

  private static void same(Object actual, Object expected, String what) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError(what + ": " + actual + " instead of " + expected);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] body) {
    return new String(body, StandardCharsets.UTF_8);
  }

  private static void put(String body) throws Exception {
    out.basicPublish("", queue, null, bytes(body));
  }

  private static BlockingQueue<Delivery> consume(Channel channel, String from, Map<String, Object> args)
      throws Exception {
    BlockingQueue<Delivery> inbox = new LinkedBlockingQueue<>();
    channel.basicConsume(from, args.isEmpty(), args, (tag, delivery) -> inbox.add(delivery), tag -> {});
    return inbox;
  }

  private static List<Delivery> take(BlockingQueue<Delivery> inbox, int count) throws Exception {
    List<Delivery> found = new ArrayList<>();
    while (found.size() < count) {
      Delivery delivery = inbox.poll(30, TimeUnit.SECONDS);
      if (delivery == null) throw new AssertionError(found.size() + " of " + count + " messages came");
      found.add(delivery);
    }
    return found;
  }

  private static List<String> texts(List<Delivery> deliveries) {
    List<String> found = new ArrayList<>();
    for (Delivery delivery : deliveries) found.add(text(delivery.getBody()));
    return found;
  }

  private static List<String> texts(String from, int count) throws Exception {
    return texts(take(consume(into, from, Map.of()), count));
  }

  private static String subscribe(BuiltinExchangeType type, Map<String, Object> args, String... keys)
      throws Exception {
    into.exchangeDeclare(exchange, type);
    String own = into.queueDeclare().getQueue();
    for (String key : keys) into.queueBind(own, exchange, key, args);
    return own;
  }

  private static List<String> numbered(int count) {
    List<String> found = new ArrayList<>();
    for (int i = 0; i < count; i++) found.add("m" + i);
    return found;
  }

  private static void hello() throws Exception {
    out.queueDeclare(queue, false, false, false, null);
    put("Hello World!");
    same(texts(queue, 1), List.of("Hello World!"), "messages");
  }

  private static void work() throws Exception {
    into.queueDeclare(queue, true, false, false, null);
    BlockingQueue<String> done = new LinkedBlockingQueue<>();
    for (String worker : List.of("a", "b")) {
      Channel channel = receiver.createChannel();
      channel.basicQos(1);
      channel.basicConsume(queue, false, (tag, delivery) -> {
        channel.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
        done.add(worker + text(delivery.getBody()));
      }, tag -> {});
    }
    for (String body : numbered(20)) {
      out.basicPublish("", queue, MessageProperties.PERSISTENT_TEXT_PLAIN, bytes(body));
    }
    Set<String> tasks = new HashSet<>();
    Set<String> workers = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      String one = done.poll(30, TimeUnit.SECONDS);
      if (one == null) throw new AssertionError(i + " tasks done");
      workers.add(one.substring(0, 1));
      tasks.add(one.substring(1));
    }
    same(tasks.size(), 20, "tasks");
    same(workers.size(), 2, "workers");
  }

  private static void pubsub() throws Exception {
    List<String> queues = new ArrayList<>();
    for (int i = 0; i < 2; i++) queues.add(subscribe(BuiltinExchangeType.FANOUT, Map.of(), ""));
    for (String body : numbered(3)) out.basicPublish(exchange, "", null, bytes(body));
    for (String own : queues) same(texts(own, 3), numbered(3), "logs");
  }

  private static void routing() throws Exception {
    String errors = subscribe(BuiltinExchangeType.DIRECT, Map.of(), "error");
    String all = subscribe(BuiltinExchangeType.DIRECT, Map.of(), "info", "warning", "error");
    for (String key : List.of("info", "error", "debug", "warning", "error")) {
      out.basicPublish(exchange, key, null, bytes(key));
    }
    same(texts(all, 4), List.of("info", "error", "warning", "error"), "all");
    same(texts(errors, 2), List.of("error", "error"), "errors");
  }

  private static void topics() throws Exception {
    String orange = subscribe(BuiltinExchangeType.TOPIC, Map.of(), "*.orange.*");
    String others = subscribe(BuiltinExchangeType.TOPIC, Map.of(), "*.*.rabbit", "lazy.#");
    for (String key : List.of("quick.orange.rabbit", "lazy.orange.elephant", "quick.brown.fox", "lazy")) {
      out.basicPublish(exchange, key, null, bytes(key));
    }
    same(texts(others, 3), List.of("quick.orange.rabbit", "lazy.orange.elephant", "lazy"), "others");
    same(texts(orange, 2), List.of("quick.orange.rabbit", "lazy.orange.elephant"), "orange");
  }

  private static int fibonacci(int number) {
    return number < 2 ? number : fibonacci(number - 1) + fibonacci(number - 2);
  }

  private static void rpc() throws Exception {
    into.queueDeclare(queue, false, false, false, null);
    RpcServer server = new RpcServer(into, queue) {
      @Override
      public byte[] handleCall(Delivery request, AMQP.BasicProperties reply) {
        return bytes(String.valueOf(fibonacci(Integer.parseInt(text(request.getBody())))));
      }
    };
    Thread thread = new Thread(() -> {
      try {
        server.mainloop();
      } catch (Exception error) {
        error.printStackTrace();
      }
    });
    thread.setDaemon(true);
    thread.start();
    String callback = out.queueDeclare().getQueue();
    RpcClientParams params = new RpcClientParams().channel(out).exchange("").routingKey(queue).replyTo(callback);
    try (RpcClient client = new RpcClient(params.timeout(30_000))) {
      same(client.stringCall("12"), "144", "answer");
      same(client.stringCall("10"), "55", "answer");
    }
  }

  private static void confirms() throws Exception {
    out.queueDeclare(queue, true, false, false, null);
    out.confirmSelect();
    for (String body : numbered(100)) {
      out.basicPublish("", queue, MessageProperties.PERSISTENT_BASIC, bytes(body));
    }
    out.waitForConfirmsOrDie(30_000);
    same(into.messageCount(queue), 100L, "messages");
  }

  private static void mandatory() throws Exception {
    BlockingQueue<String> returned = new LinkedBlockingQueue<>();
    out.addReturnListener(message -> returned.add(message.getReplyCode() + " " + message.getReplyText()));
    out.basicPublish("", dead, true, null, bytes("x"));
    same(returned.poll(30, TimeUnit.SECONDS), "312 NO_ROUTE", "return");
  }

  private static void cancel() throws Exception {
    out.queueDeclare(queue, false, false, false, null);
    BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();
    into.basicConsume(queue, true, "mine", (tag, delivery) -> {}, cancelled::add);
    out.queueDelete(queue);
    same(cancelled.poll(30, TimeUnit.SECONDS), "mine", "cancelled");
  }

  private static void priority() throws Exception {
    out.queueDeclare(queue, false, false, false, Map.of("x-max-priority", 10));
    for (int priority : new int[] {1, 5, 9, 3}) {
      AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder().priority(priority).build();
      out.basicPublish("", queue, properties, bytes(String.valueOf(priority)));
    }
    while (into.messageCount(queue) < 4) Thread.sleep(20);
    same(texts(queue, 4), List.of("9", "5", "3", "1"), "order");
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> death(AMQP.BasicProperties properties) {
    return ((List<Map<String, Object>>) properties.getHeaders().get("x-death")).get(0);
  }

  private static void ttlAndDeadLetter() throws Exception {
    out.queueDeclare(dead, false, false, false, null);
    Map<String, Object> args =
        Map.of("x-message-ttl", 50, "x-dead-letter-exchange", "", "x-dead-letter-routing-key", dead);
    out.queueDeclare(queue, false, false, false, args);
    put("late");
    Delivery delivery = take(consume(into, dead, Map.of()), 1).get(0);
    Map<String, Object> death = death(delivery.getProperties());
    same(String.valueOf(death.get("reason")), "expired", "reason");
    same(String.valueOf(death.get("queue")), queue, "queue");
    same(death.get("count"), 1L, "count");
  }

  private static void delayed() throws Exception {
    out.exchangeDeclare(exchange, "x-delayed-message", false, false, Map.of("x-delayed-type", "direct"));
    out.queueDeclare(queue, false, false, false, null);
    out.queueBind(queue, exchange, "k");
    long started = System.nanoTime();
    for (int delay : new int[] {600, 200}) {
      AMQP.BasicProperties properties =
          new AMQP.BasicProperties.Builder().headers(Map.of("x-delay", delay)).build();
      out.basicPublish(exchange, "k", properties, bytes(String.valueOf(delay)));
    }
    same(texts(queue, 2), List.of("200", "600"), "order");
    if (System.nanoTime() - started < 590_000_000L) throw new AssertionError("came too early");
  }

  private static void quorum() throws Exception {
    out.queueDeclare(dead, false, false, false, null);
    Map<String, Object> args = Map.of("x-queue-type", "quorum", "x-delivery-limit", 2,
        "x-dead-letter-exchange", "", "x-dead-letter-routing-key", dead);
    out.queueDeclare(queue, true, false, false, args);
    BlockingQueue<Boolean> deliveries = new LinkedBlockingQueue<>();
    into.basicConsume(queue, false, (tag, delivery) -> {
      deliveries.add(delivery.getEnvelope().isRedeliver());
      into.basicNack(delivery.getEnvelope().getDeliveryTag(), false, true);
    }, tag -> {});
    put("poison");
    GetResponse response = null;
    while (response == null) {
      response = out.basicGet(dead, true);
      Thread.sleep(20);
    }
    same(deliveries.size(), 3, "deliveries");
    same(String.valueOf(death(response.getProps()).get("reason")), "delivery_limit", "reason");
  }

  private static void stream() throws Exception {
    out.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "stream"));
    out.confirmSelect();
    for (String body : numbered(10)) put(body);
    out.waitForConfirmsOrDie(30_000);
    into.basicQos(100);
    same(texts(take(consume(into, queue, Map.of("x-stream-offset", "first")), 10)), numbered(10), "first");
    List<Object> offsets = new ArrayList<>();
    for (Delivery delivery : take(consume(into, queue, Map.of("x-stream-offset", 5)), 5)) {
      offsets.add(delivery.getProperties().getHeaders().get("x-stream-offset"));
    }
    same(offsets, List.of(5L, 6L, 7L, 8L, 9L), "offsets");
  }

  private static void headers() throws Exception {
    String all = subscribe(BuiltinExchangeType.HEADERS, Map.of("x-match", "all", "a", 1, "b", "x"), "");
    String any = subscribe(BuiltinExchangeType.HEADERS, Map.of("x-match", "any", "a", 1, "b", "x"), "");
    List<Map<String, Object>> tables = List.of(Map.of("a", 1), Map.of("a", 2), Map.of("a", 1, "b", "x"));
    for (Map<String, Object> table : tables) {
      AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder().headers(table).build();
      out.basicPublish(exchange, "", properties, bytes("" + tables.indexOf(table)));
    }
    same(texts(any, 2), List.of("0", "2"), "any");
    same(texts(all, 1), List.of("2"), "all");
  }

  private static void transactions() throws Exception {
    out.queueDeclare(queue, false, false, false, null);
    out.txSelect();
    put("rolled back");
    out.txRollback();
    put("committed");
    out.txCommit();
    same(text(into.basicGet(queue, true).getBody()), "committed", "message");
    same(into.basicGet(queue, true), null, "the rest");
  }

  private static void directReply() throws Exception {
    into.queueDeclare(queue, false, false, false, null);
    into.basicConsume(queue, true, (tag, request) ->
        into.basicPublish("", request.getProperties().getReplyTo(), null, bytes("answer")), tag -> {});
    BlockingQueue<Delivery> answers = consume(out, "amq.rabbitmq.reply-to", Map.of());
    AMQP.BasicProperties properties =
        new AMQP.BasicProperties.Builder().replyTo("amq.rabbitmq.reply-to").build();
    out.basicPublish("", queue, properties, bytes("question"));
    same(texts(take(answers, 1)), List.of("answer"), "answer");
  }

  private static void large() throws Exception {
    out.queueDeclare(queue, false, false, false, null);
    byte[] body = new byte[10 * 1024 * 1024];
    for (int i = 0; i < body.length; i++) body[i] = (byte) i;
    out.basicPublish("", queue, null, body);
    byte[] received = take(consume(into, queue, Map.of()), 1).get(0).getBody();
    if (!Arrays.equals(received, body)) throw new AssertionError("content");
  }

  private static void fairness() throws Exception {
    into.queueDeclare(queue, false, false, false, null);
    BlockingQueue<Delivery> slow = new LinkedBlockingQueue<>();
    BlockingQueue<Delivery> fast = new LinkedBlockingQueue<>();
    Channel first = receiver.createChannel();
    first.basicQos(1);
    first.basicConsume(queue, false, (tag, delivery) -> slow.add(delivery), tag -> {});
    Channel second = receiver.createChannel();
    second.basicQos(1);
    second.basicConsume(queue, false, (tag, delivery) -> {
      second.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
      fast.add(delivery);
    }, tag -> {});
    for (String body : numbered(10)) put(body);
    take(fast, 9);
    same(slow.size(), 1, "with the slow one");
  }
}
