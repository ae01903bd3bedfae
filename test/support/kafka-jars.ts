import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DISTRIBUTION = [
  'kafka_2.13',
  'kafka-tools',
  'connect-runtime',
  'connect-file',
  'connect-mirror',
  'connect-json',
  'kafka-streams',
];

const dependency = (group: string, artifact: string, release: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${release}</version></dependency>`;

/** Whether the program can be started at all. */
export function hasProgram(program: string, versionFlag = '--version'): boolean {
  return spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined;
}

/**
 * The jars of Apache Kafka's distribution in folder/<version>, fetched with Maven when they are not there yet.
 * null when this machine has no JVM or no Maven.
 */
export function kafkaDistribution(folder: string, version = '4.3.1'): string | null {
  if (!hasProgram('java', '-version') || !hasProgram('mvn')) return null;
  const dependencies = [
    ...DISTRIBUTION.map((artifact) => dependency('org.apache.kafka', artifact, version)),
    dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.4'),
  ];
  return fetchJars(join(folder, version), dependencies);
}

/** kafka-clients alone, with a logger that prints errors only. */
export function kafkaClients(folder: string, version: string): string | null {
  if (!hasProgram('java', '-version') || !hasProgram('mvn')) return null;
  return fetchJars(join(folder, `clients-${version}`), [
    dependency('org.apache.kafka', 'kafka-clients', version),
    dependency('org.slf4j', 'slf4j-nop', '1.7.36'),
  ]);
}

/** The jars of `group:artifact:version` and of what they need, or null without a JVM or Maven. */
export function mavenJars(folder: string, artifacts: readonly string[]): string | null {
  if (!hasProgram('java', '-version') || !hasProgram('mvn')) return null;
  return fetchJars(
    folder,
    artifacts.map((artifact) => {
      const [group = '', name = '', version = ''] = artifact.split(':');
      return dependency(group, name, version);
    }),
  );
}

function fetchJars(folder: string, dependencies: readonly string[]): string {
  const stamp = join(folder, '.done');
  if (existsSync(stamp)) return folder;
  mkdirSync(folder, { recursive: true });
  const pom = join(folder, 'pom.xml');
  writeFileSync(
    pom,
    `<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>` +
      `<dependencies>${dependencies.join('')}</dependencies></project>`,
  );
  const goal = [
    '-q',
    '-B',
    '-f',
    pom,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${folder}`,
  ];
  const run = spawnSync('mvn', goal, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`maven failed: ${run.stdout}${run.stderr}`);
  writeFileSync(stamp, '');
  return folder;
}

const TOOLS: Readonly<Record<string, string>> = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
};

/** A folder that looks enough like a Kafka distribution for programs that call its bin/ scripts. */
export function standInKafkaPath(jars: string, folder: string): string {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const script = (name: string, body: string): void => {
    const path = join(folder, 'bin', name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  };
  const java = 'exec java -Xmx128m -XX:TieredStopAtLevel=1';
  for (const [name, main] of Object.entries(TOOLS))
    script(name, `${java} -cp "${jars}/*" ${main} "$@"`);
  script('kafka-run-class.sh', `${java} -cp "$CLASSPATH:${jars}/*" "$@"`);
  rmSync(join(folder, 'libs'), { force: true });
  symlinkSync(jars, join(folder, 'libs'));
  return folder;
}
