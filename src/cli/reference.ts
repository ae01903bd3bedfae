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
