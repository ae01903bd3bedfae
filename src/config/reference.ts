import { environmentName } from './layers.ts';
import { listSections, type SettingInfo } from './schema.ts';

const INTRODUCTION = `# Configuration

<!-- Made by \`lyrebird config reference\`; a test compares. Edit src/config/schema.ts instead. -->

Every key can be given in four places; the first one that says something wins:

1. a flag: \`--set kafka.auto_create_topics=false\`, and the flags that stand for a key, such as \`--data\`;
2. an environment variable: \`LYREBIRD_KAFKA__AUTO_CREATE_TOPICS=false\` (\`__\` between levels);
3. the file given by \`--config FILE\` or \`LYREBIRD_CONFIG\`, in [TOML](https://toml.io);
4. the default.

\`lyrebird config show --origin\` prints each value and where it came from; \`lyrebird config validate\` checks without
starting; \`lyrebird config schema\` prints the JSON Schema for editors. A key that does not exist is an error.

- Sizes are \`512\` (bytes), \`10MiB\` (1024 based) or \`10MB\` (1000 based).
- Durations are \`250ms\`, \`30s\`, \`5m\`, \`12h\`, \`7d\`, \`2w\` or together, \`1h30m\`; a bare number is milliseconds.
- Limits that allow it take \`unlimited\`.
- Lists are arrays in the file and text with commas elsewhere.
- \`\${env:NAME}\` and \`\${file:PATH}\` in a value are replaced by the variable or by the file's text; \`$\${\` is a literal \`\${\`.
  Relative paths in \`\${file:..}\` start at the configuration file's folder.
- "live" keys take effect at a reload (SIGHUP); the others at the next start, and the reload logs which.

An example:

\`\`\`toml
listeners = ["kafka://127.0.0.1:9092", "admin://127.0.0.1:9644"]

[storage]
path = "/var/lib/lyrebird"
durability = "fsync"

[kafka]
auto_create_partitions = 3

[topics]
retention = "3d"
\`\`\`

A listener may be a table. TLS listeners need a certificate; \`client_ca\` makes clients show one, too:

\`\`\`toml
[[listeners]]
url = "kafka+tls://*:9093"
name = "public"
cert = "/etc/lyrebird/tls/cert.pem"
key = "/etc/lyrebird/tls/key.pem"
client_ca = "/etc/lyrebird/tls/clients.pem"
\`\`\`

A listener outside the loopback interface whose protocol lets clients in without a login (\`kafka\`, \`admin\`) opens only when
\`security.anonymous\` is \`allow\`.
`;

/** The page docs/reference/config.md. */
export function configReference(): string {
  const parts = [INTRODUCTION];
  for (const section of listSections()) {
    parts.push(
      `## ${section.name === '' ? section.help : `${section.name}: ${lowerFirst(section.help)}`}\n`,
    );
    for (const setting of section.settings) parts.push(item(setting));
    parts.push('');
  }
  parts.push('## Environment variables\n');
  parts.push(
    `Each key has one: \`${environmentName('storage.path')}\` for \`storage.path\`. Two more are not keys: \`LYREBIRD_CONFIG\`\n` +
      'names the configuration file, `LYREBIRD_SERVER` the admin address that commands such as `lyrebird topic` talk to. Any\n' +
      'other variable that begins with `LYREBIRD_` is an error, so that a misspelled one is noticed.\n',
  );
  return parts.join('\n');
}

function item(setting: SettingInfo): string {
  const facts: string[] = [setting.help];
  if (setting.choices !== undefined) {
    facts.push(`One of ${setting.choices.map((choice) => `\`${choice}\``).join(', ')}.`);
  }
  if (setting.like !== undefined) facts.push(`Kafka: \`${setting.like}\`.`);
  if (setting.live) facts.push('Live.');
  const given = setting.default !== null && setting.default !== '';
  const fallback = given ? ` (default \`${setting.default}\`)` : '';
  return `- \`${setting.key}\`${fallback}: ${facts.join(' ')}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
