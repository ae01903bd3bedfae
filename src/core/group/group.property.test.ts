import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { GROUP, GroupHarness, NAMESPACE, type Reply } from '../../../test/support/group-harness.ts';
import type { JoinResponse, SyncResponse } from '../group-types.ts';

const CLIENTS = 4;
const SESSION_MS = 10_000;
const REBALANCE_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** A client that does what it is told, not what would be sensible. */
interface Client {
  readonly index: number;
  readonly instanceId: string | null;
  memberId: string;
  generation: number;
  join: Reply<JoinResponse> | null;
}

type Step =
  | {
      readonly do: 'join';
      readonly client: number;
      readonly as: 'new' | 'known';
      readonly metadata: number;
      readonly twoSteps: boolean;
    }
  | {
      readonly do: 'sync' | 'heartbeat' | 'leave' | 'commit' | 'drop';
      readonly client: number;
      readonly skew: number;
    }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'hold' }
  | { readonly do: 'release' };

const client = fc.nat(CLIENTS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      client,
      as: fc.constantFrom('new' as const, ...Array<'known'>(5).fill('known')),
      metadata: fc.constantFrom(0, 0, 0, 1),
      twoSteps: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...Array<'sync'>(8).fill('sync'),
        ...Array<'heartbeat'>(3).fill('heartbeat'),
        'commit' as const,
        'leave' as const,
        'drop' as const,
      ),
      client,
      skew: fc.constantFrom(...Array<0>(12).fill(0), 1, -1),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(0, 0, 0, 0, 1, 500, 500, 2_000, 5_000, SESSION_MS, REBALANCE_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const) }) },
);

/** Runs steps against a group and checks after each what must hold always. */
class Run {
  readonly harness: GroupHarness;
  readonly clients: readonly Client[];
  readonly joins: Reply<JoinResponse>[] = [];
  readonly syncs: {
    readonly reply: Reply<SyncResponse>;
    readonly client: Client;
    readonly generation: number;
  }[] = [];
  readonly commits: Reply<unknown>[] = [];
  private generation = 0;

  constructor(harness: GroupHarness) {
    this.harness = harness;
    this.clients = Array.from({ length: CLIENTS }, (_, index) => ({
      index,
      instanceId: index === 0 ? `static-${index}` : null,
      memberId: '',
      generation: -1,
      join: null,
    }));
  }

  take(action: Step): void {
    if (action.do === 'advance') this.harness.clock.advance(action.ms);
    else if (action.do === 'hold') this.harness.engine.hold();
    else if (action.do === 'release') this.harness.engine.release();
    else if (action.do === 'join') this.join(action);
    else this.speak(action.do, this.client(action.client), action.skew);
    this.learn();
    this.check();
  }

  /** Everybody falls silent; nobody may be left waiting. */
  end(): void {
    this.harness.engine.release();
    this.harness.clock.advance(DAY_MS);
    for (const reply of this.joins) assert.equal(reply.count, 1, 'every join is answered once');
    for (const { reply } of this.syncs) assert.equal(reply.count, 1, 'every sync is answered once');
    for (const reply of this.commits) assert.equal(reply.count, 1, 'every commit is answered once');
    const state = this.harness.state();
    assert.ok(state === null || state === 'empty', `nobody is left, but the group is ${state}`);
    assert.equal(this.harness.coordinator.stats().members, 0);
    // What is left is the timer that looks for expired offsets.
    assert.equal(this.harness.clock.timerCount, 1);
    this.harness.coordinator.close();
    assert.equal(this.harness.clock.timerCount, 0);
  }

  private join({ client: index, as, metadata, twoSteps }: Extract<Step, { do: 'join' }>): void {
    const asking = this.client(index);
    const reply = this.harness.join({
      memberId: as === 'new' ? '' : asking.memberId,
      instanceId: asking.instanceId,
      requireKnownMemberId: twoSteps,
      connectionId: asking.index,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocols: [{ name: 'range', metadata: Buffer.from(`metadata ${metadata}`) }],
    });
    asking.join = reply;
    this.joins.push(reply);
  }

  private speak(
    what: Exclude<Step['do'], 'join' | 'advance' | 'hold' | 'release'>,
    who: Client,
    skew: number,
  ): void {
    const { memberId, instanceId } = who;
    const generation = who.generation + skew;
    switch (what) {
      case 'sync':
        this.sync(who, generation);
        break;
      case 'heartbeat':
        this.harness.coordinator.heartbeat(NAMESPACE, {
          groupId: GROUP,
          memberId,
          instanceId,
          generation,
          connectionId: who.index,
        });
        break;
      case 'leave':
        this.harness.coordinator.leave(NAMESPACE, GROUP, [{ memberId, instanceId, reason: null }]);
        break;
      case 'commit':
        this.commits.push(this.harness.commit([{ offset: 1 }], { memberId, generation }));
        break;
      case 'drop':
        this.harness.coordinator.connectionClosed(who.index);
        break;
    }
  }

  /** Sends assignments that name their generation, as a leader would; whether it leads is the group's to know. */
  private sync(who: Client, generation: number): void {
    const members = this.harness.coordinator.describe(NAMESPACE, GROUP)?.members ?? [];
    const reply = this.harness.sync({
      memberId: who.memberId,
      instanceId: who.instanceId,
      generation,
      connectionId: who.index,
      assignments: members.map(({ memberId, instanceId }) => ({
        memberId,
        assignment: Buffer.from(`${generation} ${instanceId ?? memberId}`),
      })),
    });
    this.syncs.push({ reply, client: { ...who }, generation });
  }

  /** Clients take in the answers that came. */
  private learn(): void {
    for (const who of this.clients) {
      const answer = who.join?.value;
      if (!answer) continue;
      who.join = null;
      if (answer.error === 'none' || answer.error === 'member-id-required') {
        who.memberId = answer.memberId;
        who.generation = answer.generation;
      }
    }
  }

  private check(): void {
    for (const reply of this.joins) assert.ok(reply.count <= 1);
    for (const { reply, client: who, generation } of this.syncs) {
      assert.ok(reply.count <= 1);
      const text = reply.value?.assignment.toString() ?? '';
      if (text === '') continue;
      assert.equal(reply.value?.error, 'none');
      assert.equal(text, `${generation} ${who.instanceId ?? who.memberId}`);
    }
    this.checkLeaders();
    const view = this.harness.coordinator.describe(NAMESPACE, GROUP);
    assert.equal(this.harness.coordinator.stats().members, view?.members.length ?? 0);
    if (view === null) {
      this.generation = 0;
      return;
    }
    assert.ok(view.generation >= this.generation, 'generations only grow');
    this.generation = view.generation;
    assert.equal(
      view.state === 'empty',
      view.members.length === 0 && view.state !== 'preparing-rebalance',
    );
  }

  /** One member per generation is told to assign. */
  private checkLeaders(): void {
    const leaders = new Map<number, string>();
    for (const { value } of this.joins) {
      if (value === null || value.members.length === 0 || value.skipAssignment) continue;
      assert.equal(value.leaderId, value.memberId);
      const known = leaders.get(value.generation);
      assert.ok(known === undefined || known === value.memberId, 'one leader per generation');
      leaders.set(value.generation, value.memberId);
    }
  }

  private client(index: number): Client {
    const found = this.clients[index];
    assert.ok(found);
    return found;
  }
}

describe('a group under any sequence of requests', () => {
  it('answers each once, has one leader, and leaves nobody waiting', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }),
        async (steps) => {
          const run = new Run(await GroupHarness.ready());
          for (const action of steps) run.take(action);
          run.end();
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does so with a delay before the first generation, too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }),
        async (steps) => {
          const options = { initialRebalanceDelayMs: 3_000, groupSizeMax: 3 };
          const run = new Run(await GroupHarness.ready({ options }));
          for (const action of steps) run.take(action);
          run.end();
        },
      ),
      { numRuns: 100 },
    );
  });
});
