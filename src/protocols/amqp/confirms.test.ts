import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { QueueRegistry } from '../../core/queue-types.ts';
import type { CommitListener } from '../../storage/types.ts';
import { Confirms } from './confirms.ts';

/** What confirms need of the queues: tickets, which are committed when the test says so. */
class Tickets {
  ticket = 1;
  private readonly waiting: { readonly ticket: number; readonly listener: CommitListener }[] = [];

  whenCommitted(ticket: number, listener: CommitListener): void {
    this.waiting.push({ ticket, listener });
  }

  get count(): number {
    return this.waiting.length;
  }

  commit(): void {
    this.waiting.shift()?.listener.onCommitted();
  }

  fail(): void {
    this.waiting.shift()?.listener.onCommitFailed(new Error('disk'));
  }
}

describe('Confirms', () => {
  let tickets: Tickets;
  let said: string[];
  let confirms: Confirms;

  beforeEach(() => {
    tickets = new Tickets();
    said = [];
    confirms = new Confirms(tickets as unknown as QueueRegistry, {
      confirm: (upTo, count) => said.push(`ack ${upTo} of ${count}`),
      refuse: (sequence) => said.push(`nack ${sequence}`),
    });
  });

  it('confirms the publishes of a turn together, turns in order', () => {
    for (let i = 0; i < 3; i++) confirms.taken();
    tickets.ticket++;
    confirms.taken();
    assert.equal(tickets.count, 2);
    assert.equal(confirms.pending, 4);
    tickets.commit();
    tickets.commit();
    assert.deepEqual(said, ['ack 3 of 3', 'ack 4 of 1']);
    assert.equal(confirms.pending, 0);
  });

  it('refuses a publish at once, and never confirms it with its turn', () => {
    confirms.taken();
    confirms.refused();
    confirms.taken();
    confirms.refused();
    tickets.commit();
    tickets.commit();
    assert.deepEqual(said, ['nack 2', 'nack 4', 'ack 1 of 1', 'ack 3 of 1']);
  });

  it('refuses once each, also where refusals came between what could not be committed', () => {
    confirms.taken();
    confirms.refused();
    confirms.taken();
    tickets.fail();
    tickets.fail();
    assert.deepEqual(said, ['nack 2', 'nack 1', 'nack 3']);
  });

  it('refuses every publish of a turn that could not be committed', () => {
    confirms.taken();
    confirms.taken();
    tickets.ticket++;
    confirms.taken();
    tickets.fail();
    tickets.commit();
    assert.deepEqual(said, ['nack 1', 'nack 2', 'ack 3 of 1']);
  });

  it('goes on in the same turn after its mark was committed', () => {
    confirms.taken();
    tickets.commit();
    confirms.taken();
    tickets.commit();
    assert.deepEqual(said, ['ack 1 of 1', 'ack 2 of 1']);
  });

  it('says nothing after it was closed', () => {
    confirms.taken();
    confirms.close();
    tickets.commit();
    assert.deepEqual(said, []);
  });
});
