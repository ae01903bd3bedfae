import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { batchOf } from '../../../test/support/core-harness.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { stampBatch } from '../../base/record-batch.ts';
import type { LogEngine } from '../../storage/types.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { PartitionStates } from './partition-states.ts';

const LOG = 7;

/** As much of a log engine as the states use: one log, its snapshots, and what a restart replays. */
class Journal {
  end = 0;
  private saved: Buffer | null = null;
  private sinceCheckpoint: Buffer[] = [];
  readonly engine = {
    bounds: () => ({ start: 0, committedEnd: this.end, pendingEnd: this.end, bytes: 0 }),
    hasLog: (log: number) => log === LOG,
    snapshots: {
      save: (_log: number, bytes: Buffer) => (this.saved = bytes),
      load: () => this.saved,
    },
  } as unknown as LogEngine;

  append(batch: Buffer, epoch: number): number {
    const offset = this.end;
    stampBatch(batch, 0, offset, epoch);
    this.end += batch.readInt32BE(23) + 1;
    this.sinceCheckpoint.push(batch);
    return offset;
  }

  checkpoint(states: PartitionStates): void {
    states.checkpoint();
    this.sinceCheckpoint = [];
  }

  replay(states: PartitionStates): void {
    const batches = Buffer.concat(this.sinceCheckpoint);
    if (batches.length > 0) states.replay(LOG, batches, 0, batches.length);
  }
}

function statesOn(journal: Journal, clock = new ManualClock()): PartitionStates {
  return new PartitionStates({
    engine: journal.engine,
    clock,
    logger: silentLogger,
    producersPerPartitionMax: () => 100,
    producerExpirationMs: () => 1000,
  });
}

/** Everything a client could notice of a state. */
function observe(states: PartitionStates, journal: Journal, epoch: number): unknown {
  const state = states.of(LOG, epoch);
  return {
    producers: [...state.producers.all()]
      .map((entry) => ({
        id: entry.producerId,
        epoch: entry.epoch,
        batches: Array.from({ length: entry.size }, (_, i) => [
          entry.firstSequence(i),
          entry.lastOffsetDelta(i),
          entry.baseOffset(i),
        ]),
        lastTimestamp: entry.lastTimestamp,
      }))
      .sort((a, b) => a.id - b.id),
    ends: Array.from({ length: epoch + 2 }, (_, e) => state.epochs.endOffset(e, journal.end)),
  };
}

describe('PartitionStates', () => {
  it('are the same after any restart, with or without checkpoints before', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('append' as const),
        producer: fc.integer({ min: -1, max: 3 }),
        count: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({
        do: fc.constantFrom('checkpoint' as const, 'restart' as const, 'crash' as const),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const journal = new Journal();
        let epoch = 1;
        let states = statesOn(journal);
        const sequences = new Map<number, number>();
        for (const action of steps) {
          if (action.do === 'append') {
            const sequence = sequences.get(action.producer) ?? 0;
            const batch = batchOf(
              Array.from({ length: action.count }, () => 'x'),
              {
                producer: { id: action.producer, epoch: 0, baseSequence: sequence },
              },
            );
            sequences.set(action.producer, sequence + action.count);
            const state = states.of(LOG, epoch);
            const offset = journal.append(batch, epoch);
            states.noteAppended(state, batch, 0, offset, epoch, 1);
          } else if (action.do === 'checkpoint') {
            journal.checkpoint(states);
          } else {
            const before = observe(states, journal, epoch);
            states = statesOn(journal);
            journal.replay(states);
            assert.deepEqual(observe(states, journal, epoch), before);
            // An unclean start begins a new epoch.
            if (action.do === 'crash') epoch++;
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('save nothing of partitions that did not change', () => {
    const journal = new Journal();
    const states = statesOn(journal);
    states.of(LOG, 1);
    journal.checkpoint(states);
    assert.equal(journal.engine.snapshots.load(LOG), null);
    const batch = batchOf(['a']);
    const state = states.of(LOG, 1);
    states.noteAppended(state, batch, 0, journal.append(batch, 1), 1, 1);
    journal.checkpoint(states);
    const saved = journal.engine.snapshots.load(LOG);
    assert.notEqual(saved, null);
    const further = batchOf(['b']);
    states.noteAppended(state, further, 0, journal.append(further, 1), 1, 2);
    journal.checkpoint(states);
    assert.equal(journal.engine.snapshots.load(LOG), saved);
  });

  it('start empty, and say so, when a snapshot cannot be read', () => {
    const journal = new Journal();
    journal.engine.snapshots.save(LOG, Buffer.from([9, 9]));
    const states = statesOn(journal);
    assert.equal(states.of(LOG, 1).producers.size, 0);
  });

  it('expire producers in slices, and remember that they did', async () => {
    const journal = new Journal();
    const clock = new ManualClock();
    const states = statesOn(journal, clock);
    const batch = batchOf(['a'], { producer: { id: 5, epoch: 0, baseSequence: 0 } });
    const state = states.of(LOG, 1);
    states.noteAppended(state, batch, 0, journal.append(batch, 1), 1, 1);
    journal.checkpoint(states);
    clock.advance(1001);
    await states.expireProducers(new AbortController().signal);
    assert.deepEqual(states.producerCounts(), { total: 0, largest: 0 });
    journal.checkpoint(states);
    const restarted = statesOn(journal, clock);
    journal.replay(restarted);
    assert.equal(restarted.of(LOG, 1).producers.size, 0);
  });
});
