/** Case name -> bash script; $1 is the bootstrap address, $2 a topic of the case's own. */
export type ShellCases = Readonly<Record<string, string>>;

const codec = (name: string): string =>
  `seq 1 100 | kcat -P -b $1 -t $2 -z ${name} && [ "$(kcat -C -b $1 -t $2 -e -q | sort -n | tail -1)" = 100 ]`;

export const kcatCases: ShellCases = {
  roundtrip:
    'seq 1 300 | kcat -P -b $1 -t $2 && [ "$(kcat -C -b $1 -t $2 -e -q | wc -l)" = 300 ] && kcat -L -b $1 -t $2 | grep -q "topic \\"$2\\""',
  headers: `echo v | kcat -P -b $1 -t $2 -k k -H a=b && [ "$(kcat -C -b $1 -t $2 -e -q -f '%h %k %s')" = "a=b k v" ]`,
  gzip: codec('gzip'),
  snappy: codec('snappy'),
  lz4: codec('lz4'),
  zstd: codec('zstd'),
  group:
    'seq 1 50 | kcat -P -b $1 -t $2 && [ "$(timeout 20 kcat -b $1 -G $2-g -X auto.offset.reset=earliest -c 50 -q $2 | wc -l)" = 50 ]',
  idempotent:
    'seq 1 100 | kcat -P -b $1 -t $2 -X enable.idempotence=true && [ "$(kcat -C -b $1 -t $2 -e -q | wc -l)" = 100 ]',
  large:
    'f=$(mktemp) && head -c 900000 /dev/zero | tr "\\0" x > $f && kcat -P -b $1 -t $2 $f && rm $f && [ "$(kcat -C -b $1 -t $2 -e -q | wc -c)" -ge 900000 ]',
  times: 'echo v | kcat -P -b $1 -t $2 -p 0 && kcat -Q -b $1 -t $2:0:1000 | grep -q "offset 0"',
};

/** The console tools that people script with, as the issue tracker of any Kafka user names them. */
export function consoleToolCases(jars: string): ShellCases {
  const tool = (main: string): string =>
    `java -XX:TieredStopAtLevel=1 -Xmx512m -Dlog4j2.level=ERROR -cp '${jars}/*' ${main}`;
  const tools = 'org.apache.kafka.tools';
  const topics = `${tool(`${tools}.TopicCommand`)} --bootstrap-server $1`;
  const configs = `${tool('kafka.admin.ConfigCommand')} --bootstrap-server $1`;
  const groups = `${tool(`${tools}.consumer.group.ConsumerGroupCommand`)} --bootstrap-server $1`;
  const produce = `${tool(`${tools}.ConsoleProducer`)} --bootstrap-server $1 --topic $2`;
  const consume = `${tool(`${tools}.consumer.ConsoleConsumer`)} --bootstrap-server $1 --topic $2`;
  const perf = (records: number): string =>
    `${tool(`${tools}.ProducerPerformance`)} --topic $2 --num-records ${records} --record-size 1024 --throughput -1 --producer-props bootstrap.servers=$1 acks=1`;
  return {
    roundtrip: `seq 1 300 | ${produce} && ${consume} --from-beginning --max-messages 300 --timeout-ms 20000 | sort -n | cmp - <(seq 1 300)`,
    group: `seq 1 100 | ${produce} && ${consume} --group $2-g --from-beginning --max-messages 100 --timeout-ms 20000 > /dev/null && ${groups} --describe --group $2-g | grep -E "$2 +0 +100 +100 +0"`,
    admin: `${topics} --create --topic $2 --partitions 3 && ${topics} --describe --topic $2 | grep "PartitionCount: 3" && ${topics} --delete --topic $2`,
    'kafka-topics': `${topics} --create --topic $2 --partitions 2 --config retention.ms=3600000 && ${topics} --alter --topic $2 --partitions 4 && ${topics} --describe --topic $2 | grep "PartitionCount: 4"`,
    'kafka-configs': `${topics} --create --topic $2 && ${configs} --alter --entity-type topics --entity-name $2 --add-config retention.ms=1000000 && ${configs} --describe --entity-type topics --entity-name $2 | grep retention.ms=1000000`,
    'kafka-consumer-groups': `seq 1 10 | ${produce} && ${consume} --group $2-g --from-beginning --max-messages 10 --timeout-ms 20000 && ${groups} --reset-offsets --group $2-g --topic $2 --to-earliest --execute && ${groups} --delete --group $2-g`,
    'kafka-get-offsets': `seq 1 10 | ${produce} && ${tool(`${tools}.GetOffsetShell`)} --bootstrap-server $1 --topic $2 | grep "$2:0:10"`,
    'kafka-log-dirs': `seq 1 10 | ${produce} && ${tool(`${tools}.LogDirsCommand`)} --bootstrap-server $1 --describe --topic-list $2 | grep "$2-0"`,
    'producer-perf': `${perf(200_000)} | grep "200000 records sent"`,
    'producer-perf 5M x 1 KB': `[ -n "\${FULL:-}" ] || exit 4; ${perf(5_000_000)} | grep "5000000 records sent"`,
    'consumer-perf': `${perf(50_000)} > /dev/null && ${tool(`${tools}.ConsumerPerformance`)} --bootstrap-server $1 --topic $2 --num-records 50000 --timeout 30000 --hide-header | grep ", 50000, "`,
    'verifiable-producer': `${tool(`${tools}.VerifiableProducer`)} --bootstrap-server $1 --topic $2 --max-messages 2000 --acks -1 | grep '"acked":2000'`,
    'verifiable-consumer': `${tool(`${tools}.VerifiableProducer`)} --bootstrap-server $1 --topic $2 --max-messages 2000 --acks -1 > /dev/null && ${tool(`${tools}.VerifiableConsumer`)} --bootstrap-server $1 --topic $2 --group-id $2-g --max-messages 2000 --reset-policy earliest | grep offsets_committed`,
  };
}
