import { LyrebirdError } from '../../base/errors.ts';
import type { GroupProtocol } from '../group-types.ts';
import { ByteReader, ByteWriter, MalformedBytes } from './bytes.ts';
import type { PlacedOffset, TopicPartition } from './committed-offsets.ts';
import type { GroupRecord, MemberRecord } from './group-record.ts';

/**
 * What is journalled about groups. A note:
 *
 *   note      = 0xC6 version kind groupId:text body
 *   body      = generation | commit | removal | nothing          by kind
 *   generation= generation:int32 protocolType:text protocolName:text leaderId:text sinceMs:int64
 *               count:uint member*
 *   member    = memberId:text instanceId:text? clientId:text clientHost:text sessionTimeoutMs:int32
 *               rebalanceTimeoutMs:int32 assignment:bytes count:uint protocol* topics
 *   protocol  = name:text same:uint metadata:bytes               same = 0, or 1 + index of an earlier protocol
 *                                                                with the same metadata, then without metadata
 *   topics    = uint 0 (unknown), or count + 1, then text*
 *   commit    = count:uint offset*
 *   offset    = topic partition:uint offset:int64 leaderEpoch:int32 metadata:text
 *               committedAtMs:int64 expiresAtMs:int64
 *   topic     = uint 0 (as the offset before), or 1 topic:text topicId:16 bytes
 *   removal   = count:uint (topic:text partition:uint)*
 *
 * A snapshot is a sequence of notes, each as bytes (uint length, then the note), behind 0xC7 and the version.
 */
export type GroupNote =
  | { readonly kind: 'generation'; readonly groupId: string; readonly record: GroupRecord }
  | { readonly kind: 'commit'; readonly groupId: string; readonly offsets: readonly PlacedOffset[] }
  | {
      readonly kind: 'removal';
      readonly groupId: string;
      readonly partitions: readonly TopicPartition[];
    }
  | { readonly kind: 'deleted'; readonly groupId: string };

const NOTE_MAGIC = 0xc6;
const SNAPSHOT_MAGIC = 0xc7;
const VERSION = 1;
/** The least that one takes: bounds what a damaged count can make us allocate. */
const MEMBER_BYTES_MIN = 15;
const OFFSET_BYTES_MIN = 31;
const KINDS = { generation: 1, commit: 2, removal: 3, deleted: 4 } as const;

/** True when the note is one of a group: logs of other owners carry other notes. */
export function isGroupNote(note: Buffer): boolean {
  return note[0] === NOTE_MAGIC;
}

export function encodeNote(note: GroupNote): Buffer {
  const writer = new ByteWriter();
  writeNote(writer, note);
  return writer.take();
}

/** Throws MalformedBytes, or LB2001 when a newer version wrote the note. */
export function decodeNote(note: Buffer): GroupNote {
  const reader = new ByteReader(note);
  checkVersion(reader, NOTE_MAGIC);
  const decoded = readBody(reader);
  if (reader.left !== 0) throw new MalformedBytes('bytes are left over');
  return decoded;
}

export function encodeSnapshot(notes: Iterable<Buffer>): Buffer {
  const writer = new ByteWriter(4096);
  writer.byte(SNAPSHOT_MAGIC);
  writer.byte(VERSION);
  for (const note of notes) writer.bytes(note);
  return writer.take();
}

/** The snapshot with more notes at its end. */
export function extendSnapshot(snapshot: Buffer, notes: Iterable<Buffer>): Buffer {
  const writer = new ByteWriter(snapshot.length + 4096);
  writer.raw(snapshot);
  for (const note of notes) writer.bytes(note);
  return writer.take();
}

/** The notes of a snapshot, undecoded; throws as decodeNote does. */
export function decodeSnapshot(snapshot: Buffer): readonly Buffer[] {
  const reader = new ByteReader(snapshot);
  checkVersion(reader, SNAPSHOT_MAGIC);
  const notes: Buffer[] = [];
  while (reader.left > 0) notes.push(reader.bytes());
  return notes;
}

function checkVersion(reader: ByteReader, magic: number): void {
  if (reader.byte() !== magic) throw new MalformedBytes('does not begin as group state does');
  const version = reader.byte();
  if (version > VERSION) {
    throw new LyrebirdError(
      'LB2001',
      `group state has format ${version}, this version reads ${VERSION}`,
    );
  }
  if (version !== VERSION) throw new MalformedBytes(`unknown format ${version}`);
}

function writeNote(writer: ByteWriter, note: GroupNote): void {
  writer.byte(NOTE_MAGIC);
  writer.byte(VERSION);
  writer.byte(KINDS[note.kind]);
  writer.text(note.groupId);
  switch (note.kind) {
    case 'generation':
      writeRecord(writer, note.record);
      break;
    case 'commit':
      writeOffsets(writer, note.offsets);
      break;
    case 'removal':
      writer.uint(note.partitions.length);
      for (const { topic, partition } of note.partitions) {
        writer.text(topic);
        writer.uint(partition);
      }
      break;
    case 'deleted':
      break;
  }
}

function readBody(reader: ByteReader): GroupNote {
  const kind = reader.byte();
  const groupId = reader.text();
  switch (kind) {
    case KINDS.generation:
      return { kind: 'generation', groupId, record: readRecord(reader) };
    case KINDS.commit:
      return { kind: 'commit', groupId, offsets: readOffsets(reader) };
    case KINDS.removal: {
      const partitions: TopicPartition[] = [];
      for (let rest = reader.count(2); rest > 0; rest--) {
        partitions.push({ topic: reader.text(), partition: reader.uint() });
      }
      return { kind: 'removal', groupId, partitions };
    }
    case KINDS.deleted:
      return { kind: 'deleted', groupId };
    default:
      throw new MalformedBytes(`unknown kind ${kind}`);
  }
}

function writeRecord(writer: ByteWriter, record: GroupRecord): void {
  writer.int32(record.generation);
  writer.text(record.protocolType);
  writer.text(record.protocolName);
  writer.text(record.leaderId);
  writer.int64(record.sinceMs);
  writer.uint(record.members.length);
  for (const member of record.members) writeMember(writer, member);
}

function readRecord(reader: ByteReader): GroupRecord {
  const generation = reader.int32();
  const protocolType = reader.text();
  const protocolName = reader.text();
  const leaderId = reader.text();
  const sinceMs = reader.int64();
  const members: MemberRecord[] = [];
  for (let rest = reader.count(MEMBER_BYTES_MIN); rest > 0; rest--)
    members.push(readMember(reader));
  return { generation, protocolType, protocolName, leaderId, sinceMs, members };
}

function writeMember(writer: ByteWriter, member: MemberRecord): void {
  writer.text(member.memberId);
  writer.nullableText(member.instanceId);
  writer.text(member.clientId);
  writer.text(member.clientHost);
  writer.int32(member.sessionTimeoutMs);
  writer.int32(member.rebalanceTimeoutMs);
  writer.bytes(member.assignment);
  writer.uint(member.protocols.length);
  member.protocols.forEach(({ name, metadata }, index) => {
    writer.text(name);
    // Members usually say the same whatever the protocol.
    const same = member.protocols.findIndex((other) => other.metadata.equals(metadata));
    writer.uint(same < index ? same + 1 : 0);
    if (same === index) writer.bytes(metadata);
  });
  const topics = member.subscribedTopics;
  writer.uint(topics === null ? 0 : topics.length + 1);
  for (const topic of topics ?? []) writer.text(topic);
}

function readMember(reader: ByteReader): MemberRecord {
  const memberId = reader.text();
  const instanceId = reader.nullableText();
  const clientId = reader.text();
  const clientHost = reader.text();
  const sessionTimeoutMs = reader.int32();
  const rebalanceTimeoutMs = reader.int32();
  const assignment = reader.bytes();
  const protocols: GroupProtocol[] = [];
  for (let rest = reader.count(2); rest > 0; rest--) {
    const name = reader.text();
    const same = reader.uint();
    const metadata = same === 0 ? reader.bytes() : protocols[same - 1]?.metadata;
    if (metadata === undefined) throw new MalformedBytes('refers to a protocol that is not there');
    protocols.push({ name, metadata });
  }
  return {
    memberId,
    instanceId,
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    assignment,
    protocols,
    subscribedTopics: readTopics(reader),
  };
}

function readTopics(reader: ByteReader): readonly string[] | null {
  const counted = reader.uint();
  if (counted === 0) return null;
  const topics: string[] = [];
  for (let rest = counted - 1; rest > 0; rest--) topics.push(reader.text());
  return topics;
}

function writeOffsets(writer: ByteWriter, offsets: readonly PlacedOffset[]): void {
  writer.uint(offsets.length);
  let before: PlacedOffset | null = null;
  for (const offset of offsets) {
    if (before?.topic === offset.topic && before.topicId.equals(offset.topicId)) {
      writer.uint(0);
    } else {
      writer.uint(1);
      writer.text(offset.topic);
      writer.raw(offset.topicId);
    }
    before = offset;
    writer.uint(offset.partition);
    writer.int64(offset.offset);
    writer.int32(offset.leaderEpoch);
    writer.text(offset.metadata);
    writer.int64(offset.committedAtMs);
    writer.int64(offset.expiresAtMs);
  }
}

function readOffsets(reader: ByteReader): readonly PlacedOffset[] {
  const offsets: PlacedOffset[] = [];
  let topic = '';
  let topicId: Buffer | null = null;
  for (let rest = reader.count(OFFSET_BYTES_MIN); rest > 0; rest--) {
    if (reader.uint() === 1) {
      topic = reader.text();
      topicId = reader.raw(16);
    }
    if (topicId === null) throw new MalformedBytes('offset without a topic');
    offsets.push({
      topic,
      topicId,
      partition: reader.uint(),
      offset: reader.int64(),
      leaderEpoch: reader.int32(),
      metadata: reader.text(),
      committedAtMs: reader.int64(),
      expiresAtMs: reader.int64(),
    });
  }
  return offsets;
}
