import type { Argument, Command, Option } from 'commander';
import { EXAMPLES } from './options.ts';

const INTRODUCTION = `# Command line

<!-- Made by \`lyrebird reference\`; a test compares. Edit src/cli instead. -->

\`lyrebird\` starts brokers, looks at them and changes them through their admin port, and speaks their protocols as a
client. \`bin/lyrebird\` is the executable of the repository and of the package.

## Starting a broker

\`\`\`
lyrebird start [--config FILE] [--data DIR | --memory] [--listen URL]... [--ready-file FILE] [--set key=value]...
\`\`\`

What follows is a stable contract for harnesses, containers and service managers; test/integration/cli-start.test.ts keeps it.

- \`--listen kafka://127.0.0.1:9092\` may be repeated. When it is given, only these listeners open; port 0 takes a free one.
  Schemes: \`kafka\`, \`admin\`, with \`+tls\` for TLS. Without it: each protocol's usual port and the admin port, 9644, on the
  loopback address. More on addresses and certificates: [config.md](config.md).
- \`--data DIR\` is made when it is missing (default \`./lyrebird-data\`); one broker holds it, with a lock that a crash leaves
  free. \`--memory\` keeps nothing.
- \`--set key=value\` overrides one key of the configuration; the same keys exist in the file and as environment variables.
  Precedence: flag, environment, file, default. \`--set storage.durability=fsync|os|memory\` sets the default durability.
- Ready means: recovered, every listener accepting. Then the standard output has one line per listener,
  \`listening kafka://127.0.0.1:9092\`, and a last line, \`ready in 412 ms\`, counted from the start of the process. The ready
  file is written before the last line, atomically:
  \`{"pid": 1, "version": "0.1.0", "startedMs": 412, "listeners": [{"scheme": "kafka", "host": "127.0.0.1", "port": 9092}]}\`.
  TLS listeners have the scheme \`kafka+tls\`. A file that a crashed broker left is removed at the start, this one at a clean
  stop. Logs go to the standard error.
- SIGTERM or SIGINT drains and exits 0 within \`shutdown.timeout\` (10 s): connections get four fifths of that time. A second
  one exits at once with 143 or 130, as a crash would, and loses nothing acknowledged.
- SIGHUP reads the configuration and the certificates again. Live keys take effect; the log names the keys that need a
  restart. A configuration that is wrong is logged and changes nothing.
- A start that cannot succeed exits 1 with one line, \`error[LB1002]: ...\`, that names the cause: the port and who has it, the
  data folder and the pid that holds it, a key and the one that was meant. \`lyrebird explain LB1002\` says more. Wrong flags
  exit 2.
- A harness that kills a broker and starts it again on the same port picks that port below the ephemeral range (20000 to
  30000): a client that redials a dead ephemeral port on loopback can connect to itself and take the port away.

## Conventions

- Data goes to the standard output; progress, hints and warnings to the standard error.
- \`-o table|wide|json|ndjson|yaml|csv|name|template=...\`; \`--json\` is \`-o json\`. JSON and YAML have the shape of the
  admin API, with an \`apiVersion\`; \`wide\` and \`csv\` have all columns. A template is filled in for each row:
  \`-o template='{{name}} has {{partitions}}'\`, with \`{{member.member}}\` for what lies deeper.
- \`--watch 2s\` prints a list again and again until it is interrupted.
- What destroys something shows its extent and asks. \`--yes\` does not ask, \`--dry-run\` only shows; without a terminal to ask
  on, the command fails and names the flag.
- Sizes are \`10MiB\`, durations \`30s\` or \`7d\`, instants RFC 3339, \`-15m\` for a time back, or milliseconds since 1970.
- Where a broker is: \`--server\` (its admin address) or \`--broker\`; else \`--context NAME\`; else \`LYREBIRD_SERVER\` or
  \`LYREBIRD_BROKER\`; else the context of \`LYREBIRD_CONTEXT\`, or the one in use; else the usual ports of this machine.
  Contexts are kept in \`$XDG_CONFIG_HOME/lyrebird/contexts.json\` (\`~/.config\` without it), for their owner alone to read.
- \`NO_COLOR\`, \`CLICOLOR_FORCE\` and \`TERM=dumb\` are honoured.
- \`lyrebird completion bash|zsh|fish\` prints a completion script.

### Destinations

\`pub\` and \`sub\` take the name of a topic, or a URL that also says how to get there:

- \`orders\`, \`kafka://orders\`, \`kafka://host:9092/orders\`: a topic.
- \`amqp://jobs\`, \`amqp://host:5672/jobs\`: a queue, which must exist. \`pub\` goes through the default exchange and fails when
  the queue is not there; \`sub\` takes messages away: it acknowledges them after printing, as many at once as were printed.
- \`amqp://host/exchange/key\`, \`amqp:///exchange/key\` without a host: an exchange. The key may be empty (\`amqp://host/logs/\`)
  and may contain slashes; \`pub -k\` gives another one. \`sub\` reads what the exchange sends from now on, through a queue
  of its own that is bound with the key (\`#\` and \`*\` as the exchange's type has them) and goes away with it.
- One word behind \`//\` is a name; before a slash it is a host. In names \`%2F\` is a slash and \`%3F\` a question mark.
- \`?vhost=name\` behind an AMQP name says which virtual host (default \`/\`); \`amqp+tls://\` or \`amqps://\` use TLS.
- Who logs in to AMQP: \`amqp://user:password@host/jobs\`, though other processes of the machine can read that; else \`--user\` with
  \`--password-file\`, \`LYREBIRD_USER\` with \`LYREBIRD_PASSWORD\`, the context, guest. No command prints a password.
- \`--broker\`, \`LYREBIRD_BROKER\` and a context's broker may say \`kafka://host:9092,amqp://host:5672\`. Without a scheme, the
  environment's and a context's port is Kafka's, and AMQP takes the host with its usual port.

After an outage an AMQP publisher sends again what was not confirmed: messages whose confirm was lost are there twice. A
subscriber prints again what it could not acknowledge; of an exchange it misses what was sent meanwhile. After \`--no-ack\`
nothing is sent again.

### Exit codes

- 0 done
- 1 failed
- 2 wrong usage
- 3 not found
- 4 exists already, or a conflict
- 5 not allowed
- 6 cannot be reached
- 7 took too long
- 8 refused: a limit, a policy, or a question that was not answered with yes
- 9 done in part
- 10 differences were found: for commands that compare; none does yet
- 130 interrupted

### bench

Latencies are taken with a histogram of three significant digits. With a rate, a record's latency counts from the moment it
was meant to be sent, so that a stall of the broker is not hidden by a sender that waits with it; to be exact the sender keeps
one core busy. Without a rate it counts from the moment the record was put into its batch, and mostly tells how long the send
buffer is (32 MiB): give a rate to learn about latency. \`e2e\` counts until the record was read back.

\`bench amqp\` has the flags of RabbitMQ's PerfTest, with the same meaning, those of two letters (\`-qa\`, \`-qq\`) too; for help it
takes \`--help\` only. Differences: named queues and exchanges that exist are used as they are, whatever their arguments; \`-z\`
takes \`30s\` as well; with \`-C\` alone, consumers go on until nothing has come for a second, which does not count. Latency is from
sending, with a rate from when it was meant to be, to the arrival in a process of the same machine; confirms are measured alike.
`;

/** The page docs/reference/cli.md. */
export function commandReference(program: Command): string {
  const parts = [INTRODUCTION, '## Commands\n'];
  for (const command of program.commands) append(command, 'lyrebird', parts);
  return parts.join('\n');
}

function append(command: Command, parent: string, parts: string[]): void {
  const path = `${parent} ${command.name()}`;
  if (command.name() === 'help' || isHidden(command)) return;
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  const also = aliases.length === 0 ? '' : ` Also ${aliases.join(', ')}.`;
  if (command.commands.length === 0) {
    const words = [path, ...command.registeredArguments.map(argumentText)].join(' ');
    parts.push(`### ${path}\n`, `\`${words}\`: ${command.description()}.${also}\n`);
    const examples = EXAMPLES.get(command) ?? [];
    if (examples.length > 0) parts.push('```', ...examples, '```\n');
    const options = command.options.map(optionText);
    if (options.length > 0) parts.push(...options, '');
  }
  for (const sub of command.commands) append(sub, path, parts);
}

function isHidden(command: Command): boolean {
  return (command as unknown as { _hidden?: boolean })._hidden === true;
}

function argumentText(argument: Argument): string {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
}

function optionText(option: Option): string {
  const choices = option.argChoices === undefined ? '' : `; ${option.argChoices.join(', ')}`;
  const fallback = option.defaultValue as unknown;
  const shown = typeof fallback === 'string' ? ` (default \`${fallback}\`)` : '';
  return `- \`${option.flags}\` ${option.description}${choices}${shown}`;
}
