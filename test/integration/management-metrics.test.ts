import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ManagementBroker } from '../support/management.ts';

/** What Grafana's RabbitMQ-Overview asks for. */
const OVERVIEW_NAMES = [
  'rabbitmq_queues',
  'rabbitmq_connections',
  'rabbitmq_channels',
  'rabbitmq_consumers',
  'rabbitmq_global_publishers',
  'rabbitmq_global_consumers',
  'rabbitmq_build_info',
  'rabbitmq_identity_info',
  'rabbitmq_erlang_uptime_seconds',
  'rabbitmq_process_open_fds',
  'rabbitmq_process_max_fds',
  'rabbitmq_process_resident_memory_bytes',
  'rabbitmq_resident_memory_limit_bytes',
  'rabbitmq_disk_space_available_bytes',
  'rabbitmq_disk_space_available_limit_bytes',
  'rabbitmq_queue_messages_ready',
  'rabbitmq_queue_messages_unacked',
  'rabbitmq_connections_opened_total',
  'rabbitmq_connections_closed_total',
  'rabbitmq_channels_opened_total',
  'rabbitmq_channels_closed_total',
  'rabbitmq_queues_declared_total',
  'rabbitmq_queues_created_total',
  'rabbitmq_queues_deleted_total',
  'rabbitmq_global_messages_received_total',
  'rabbitmq_global_messages_received_confirm_total',
  'rabbitmq_global_messages_confirmed_total',
  'rabbitmq_global_messages_routed_total',
  'rabbitmq_global_messages_delivered_total',
  'rabbitmq_global_messages_delivered_consume_auto_ack_total',
  'rabbitmq_global_messages_delivered_consume_manual_ack_total',
  'rabbitmq_global_messages_delivered_get_auto_ack_total',
  'rabbitmq_global_messages_delivered_get_manual_ack_total',
  'rabbitmq_global_messages_get_empty_total',
  'rabbitmq_global_messages_acknowledged_total',
  'rabbitmq_global_messages_redelivered_total',
  'rabbitmq_global_messages_unroutable_dropped_total',
  'rabbitmq_global_messages_unroutable_returned_total',
  'rabbitmq_message_size_bytes_bucket',
  'rabbitmq_message_size_bytes_sum',
  'rabbitmq_message_size_bytes_count',
  'rabbitmq_global_messages_dead_lettered_confirmed_total',
  'rabbitmq_global_messages_dead_lettered_delivery_limit_total',
  'rabbitmq_global_messages_dead_lettered_expired_total',
  'rabbitmq_global_messages_dead_lettered_maxlen_total',
  'rabbitmq_global_messages_dead_lettered_rejected_total',
  'rabbitmq_alarms_free_disk_space_watermark',
  'rabbitmq_alarms_memory_used_watermark',
  'rabbitmq_channel_messages_unroutable_returned_total',
  'rabbitmq_channel_messages_unroutable_dropped_total',
];

/** Of each queue. */
const QUEUE_NAMES = [
  'messages',
  'messages_ready',
  'messages_unacked',
  'messages_ram',
  'messages_persistent',
  'messages_bytes',
  'messages_ready_bytes',
  'messages_unacked_bytes',
  'consumers',
  'consumer_utilisation',
  'head_message_timestamp',
  'messages_published_total',
  'process_memory_bytes',
];

let broker: ManagementBroker;

before(async () => {
  broker = await ManagementBroker.start();
  const channel = await broker.channel();
  await channel.assertQueue('orders');
  for (let i = 0; i < 5; i++) {
    channel.publish('', 'orders', Buffer.alloc(500), { persistent: true });
  }
  channel.publish('', 'nowhere', Buffer.from('x'));
  await channel.waitForConfirms();
  await channel.get('orders');
  const taken = await channel.get('orders');
  assert(taken !== false);
  channel.ack(taken);
  await channel.checkQueue('orders');
});
after(() => broker.stop());

/** The value of a series, by its whole text before the number. */
function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  assert(line !== undefined, `no series ${series}`);
  return Number(line.slice(series.length + 1));
}

describe('RabbitMQ metrics', () => {
  it('has every name that RabbitMQ-Overview asks for', async () => {
    const text = await broker.scrape();
    const names = new Set(Array.from(text.matchAll(/^(rabbitmq_\w+)/gm), ([, name]) => name));
    const missing = OVERVIEW_NAMES.filter((name) => !names.has(name));
    assert.deepEqual(missing, []);
    assert.match(
      text,
      /rabbitmq_identity_info\{rabbitmq_node="rabbit@[^"]+",rabbitmq_cluster="[^"]+",rabbitmq_cluster_permanent_id="[^"]+",rabbitmq_endpoint="aggregated"\} 1/,
    );
    assert.equal(new Set(text.match(/^# TYPE .*$/gm)).size, text.match(/^# TYPE .*$/gm)?.length);
  });

  it('counts what happened', async () => {
    const text = await broker.scrape();
    const protocol = 'protocol="amqp091"';
    const classic = `{${protocol},queue_type="rabbit_classic_queue"}`;
    assert.equal(valueOf(text, `rabbitmq_global_messages_received_total{${protocol}}`), 6);
    assert.equal(valueOf(text, `rabbitmq_global_messages_routed_total{${protocol}}`), 5);
    assert.equal(valueOf(text, `rabbitmq_global_messages_confirmed_total{${protocol}}`), 6);
    assert.equal(
      valueOf(text, `rabbitmq_global_messages_delivered_get_manual_ack_total${classic}`),
      2,
    );
    assert.equal(valueOf(text, `rabbitmq_global_messages_acknowledged_total${classic}`), 1);
    assert.equal(valueOf(text, 'rabbitmq_queue_messages_ready'), 3);
    assert.equal(valueOf(text, 'rabbitmq_queue_messages_unacked'), 1);
    assert.equal(valueOf(text, `rabbitmq_message_size_bytes_bucket{${protocol},le="100"}`), 1);
    assert.equal(valueOf(text, `rabbitmq_message_size_bytes_bucket{${protocol},le="1000"}`), 6);
    assert.equal(valueOf(text, `rabbitmq_message_size_bytes_sum{${protocol}}`), 2501);
  });

  it('tells them of each queue, under both prefixes', async () => {
    const each = await broker.scrape('/metrics/per-object');
    const detailed = await broker.scrape(
      '/metrics/detailed?family=queue_coarse_metrics&family=queue_metrics&family=queue_consumer_count&vhost=/',
    );
    const labels = '{vhost="/",queue="orders"}';
    for (const name of QUEUE_NAMES) {
      const value = valueOf(each, `rabbitmq_queue_${name}${labels}`);
      if (name === 'process_memory_bytes') continue;
      assert.equal(valueOf(detailed, `rabbitmq_detailed_queue_${name}${labels}`), value, name);
    }
    assert.equal(valueOf(each, `rabbitmq_queue_messages${labels}`), 4);
    const other = await broker.scrape('/metrics/detailed?family=queue_coarse_metrics&vhost=other');
    assert.doesNotMatch(other, /rabbitmq_detailed_queue_messages\{/);
  });

  it('never lets counters fall when a queue goes', async () => {
    await broker.status('DELETE', '/queues/%2F/orders');
    const text = await broker.scrape();
    const series =
      'rabbitmq_global_messages_acknowledged_total{protocol="amqp091",queue_type="rabbit_classic_queue"}';
    assert.equal(valueOf(text, series), 1);
    assert.equal(valueOf(text, 'rabbitmq_queues_deleted_total'), 1);
  });

  it('breaks memory down, and knows no other path', async () => {
    assert.match(
      await broker.scrape('/metrics/memory-breakdown'),
      /^rabbitmq_memory_binary_bytes /m,
    );
    assert.equal(await broker.scrape('/nothing'), 'see /metrics\n');
  });
});
