/**
 * RabbitMQ's rabbitmqadmin (the Python script of Debian's package) against Lyrebird's management API:
 *
 *   node --import tsx test/interop/amqp/rabbitmqadmin.ts [path to rabbitmqadmin]
 *
 * Starts a broker in this process, gives each command and says which did not end well.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createBroker } from '../../../src/index.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const [script = '/usr/bin/rabbitmqadmin'] = process.argv.slice(2);
const folder = await tempFolder();
const definitions = join(folder.path, 'definitions.json');

/** Each with a text that its output must have. */
const COMMANDS: readonly (readonly [command: string, expected: string])[] = [
  ['show overview', '3.13.7'],
  ['list nodes name', 'rabbit@'],
  ['declare vhost name=v', 'vhost declared'],
  ['declare queue name=q durable=true', 'queue declared'],
  ['declare exchange name=x type=topic', 'exchange declared'],
  ['declare binding source=x destination=q routing_key=a.#', 'binding declared'],
  ['publish exchange=x routing_key=a.b payload=hello', 'Message published'],
  ['list queues name messages', '| q    | 1        |'],
  ['get queue=q ackmode=ack_requeue_false', 'hello'],
  ['list bindings', 'a.#'],
  ['declare user name=u password=p tags=management', 'user declared'],
  ['declare permission vhost=v user=u configure=.* write=.* read=.*', 'permission declared'],
  ['declare policy name=p pattern=^q definition={"max-length":5}', 'policy declared'],
  ['list policies', '{"max-length": 5}'],
  ['purge queue name=q', 'queue purged'],
  [`export ${definitions}`, 'Exported definitions'],
  [`import ${definitions}`, 'Uploaded definitions'],
  ['delete binding source=x destination=q destination_type=queue properties_key=a.%23', 'deleted'],
  ['delete exchange name=x', 'exchange deleted'],
  ['delete queue name=q', 'queue deleted'],
  ['delete policy name=p', 'policy deleted'],
  ['delete user name=u', 'user deleted'],
  ['delete vhost name=v', 'vhost deleted'],
  ['list users name tags', 'administrator'],
  ['list permissions', 'guest'],
  ['declare parameter component=shovel name=s value={"a":1}', 'parameter declared'],
  ['delete parameter component=shovel name=s', 'parameter deleted'],
];

let passed = 0;
if (!existsSync(script)) {
  process.stdout.write(`skipped: there is no ${script}\n`);
} else {
  await using broker = await createBroker({ listeners: { amqp: {}, management: {} } });
  const { port } = broker.address('management');
  for (const [command, expected] of COMMANDS) {
    // Not synchronously: the broker answers in this process.
    const output = await new Promise<string>((resolve) => {
      const child = spawn('python3', [script, '-P', String(port), ...command.split(' ')]);
      let text = '';
      child.stdout.on('data', (part: Buffer) => (text += part.toString()));
      child.stderr.on('data', (part: Buffer) => (text += part.toString()));
      child.on('close', () => resolve(text));
    });
    const isGood = output.includes(expected);
    if (isGood) passed++;
    process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${command}\n${isGood ? '' : output}`);
  }
  process.stdout.write(`${passed} passed, ${COMMANDS.length - passed} failed\n`);
  process.exitCode = passed === COMMANDS.length ? 0 : 1;
}
await folder.remove();
