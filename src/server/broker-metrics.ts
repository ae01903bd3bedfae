import { crc32cImplementation } from '../base/crc32c.ts';
import type { Broker } from '../core/broker.ts';
import type { EngineStats } from '../storage/types.ts';
import type { MetricFamily } from '../telemetry/metric-family.ts';

const DISK_STATES = ['ok', 'warn', 'shrink', 'alarm', 'blocked'] as const;

type Row = readonly [name: string, help: string, value: (stats: EngineStats) => number];

const ENGINE_COUNTERS: readonly Row[] = [
  ['commit_groups_total', 'Commit groups written.', (s) => s.groups],
  ['appends_total', 'Batches appended.', (s) => s.appends],
  ['appended_bytes_total', 'Bytes appended.', (s) => s.appendedBytes],
  ['syncs_total', 'Syncs of the journal.', (s) => s.syncs],
  ['sync_seconds_total', 'Time spent in syncs.', (s) => s.syncMsTotal / 1000],
  ['write_seconds_total', 'Time spent in writes.', (s) => s.writeMsTotal / 1000],
  ['cache_hits_total', 'Reads answered from memory.', (s) => s.cacheHits],
  ['cache_misses_total', 'Reads that needed the disk.', (s) => s.cacheMisses],
  ['checkpoints_total', 'Checkpoints written.', (s) => s.checkpoints],
  ['settled_bytes_total', 'Bytes copied from the journal to segments.', (s) => s.settledBytes],
  ['repacked_bytes_total', 'Bytes copied out of mostly dead segments.', (s) => s.repackedBytes],
  [
    'held_back_seconds_total',
    'Time for which commits waited because moving data to segments lagged behind.',
    (s) => s.pacedMsTotal / 1000,
  ],
  ['cold_read_waits_total', 'Reads that waited for memory of others.', (s) => s.coldReadWaits],
];

const ENGINE_GAUGES: readonly Row[] = [
  ['pending_bytes', 'Appended and not yet written.', (s) => s.pendingBytes],
  ['journal_bytes', 'Size of the journal.', (s) => s.journalBytes],
  ['journal_files', 'Files of the journal.', (s) => s.journalFiles],
  ['segment_bytes', 'Size of all segments.', (s) => s.segmentBytes],
  ['segment_files', 'Segment files.', (s) => s.segmentFiles],
  ['cache_bytes', 'Memory of cached batches.', (s) => s.cacheBytes],
  ['index_bytes', 'Memory of the index of the journal.', (s) => s.indexBytes],
  [
    'cold_read_bytes',
    'Memory of reads of older data and of their answers.',
    (s) => s.coldReadBytes,
  ],
  [
    'quarantined_ranges',
    'Damaged ranges that are kept away from readers.',
    (s) => s.quarantinedRanges,
  ],
  ['logs', 'Logs of all kinds.', (s) => s.logs],
  ['disk_total_bytes', 'Size of the volume.', (s) => s.diskTotalBytes],
  ['disk_free_bytes', 'Free space of the volume.', (s) => s.diskFreeBytes],
];

/** What the broker itself tells: build, storage, and how much there is. */
export function brokerMetrics(broker: Broker, version: string): MetricFamily[] {
  const stats = broker.engine.stats();
  const groups = broker.groups.list('default');
  const state = broker.engine.diskState();
  return [
    family('lyrebird_build_info', 'Version of the broker.', 1, {
      version,
      node: process.version,
      crc32c: crc32cImplementation,
    }),
    family('lyrebird_broker_info', 'Identity of the broker.', 1, {
      cluster_id: broker.clusterId,
      node_id: String(broker.nodeId),
    }),
    family('lyrebird_partitions_under_replicated', 'Partitions with too few copies.', 0),
    family('lyrebird_active_controller', 'This broker decides about metadata.', 1),
    family('lyrebird_groups', 'Consumer groups.', groups.length),
    {
      name: 'lyrebird_disk_state',
      help: 'The step of the disk-space ladder that applies.',
      type: 'gauge',
      samples: DISK_STATES.map((step) => ({
        labels: { state: step },
        value: step === state ? 1 : 0,
      })),
    },
    ...ENGINE_COUNTERS.map((row) => engineFamily(row, 'counter', stats)),
    ...ENGINE_GAUGES.map((row) => engineFamily(row, 'gauge', stats)),
  ];
}

function engineFamily(
  [name, help, value]: Row,
  type: 'counter' | 'gauge',
  stats: EngineStats,
): MetricFamily {
  const samples = [{ labels: {}, value: value(stats) }];
  return { name: `lyrebird_storage_${name}`, help, type, samples };
}

function family(
  name: string,
  help: string,
  value: number,
  labels: Record<string, string> = {},
): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels, value }] };
}
