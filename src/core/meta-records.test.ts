import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { CoreHarness } from '../../test/support/core-harness.ts';
import { RecordReader } from '../security/record-reader.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { MetaRecords } from './meta-records.ts';

interface Count {
  readonly count: number;
}

let harness: CoreHarness;
let records: MetaRecords;

beforeEach(async () => {
  harness = await CoreHarness.open();
  records = new MetaRecords(harness.engine.meta, silentLogger);
});

afterEach(async () => {
  records.close();
  await harness.close();
});

function counts(onChange?: (key: readonly string[], record: Count | null) => void) {
  return records.table<Count>({
    name: 'counts',
    decode: (value) => ({ count: new RecordReader(value).number('count') }),
    ...(onChange === undefined ? {} : { onChange }),
  });
}

describe('MetaRecords', () => {
  it('loses no change of several at once', async () => {
    const table = counts();
    records.load();
    const add = () =>
      records.transact((transaction) => {
        const count = (transaction.get(table, 'a')?.count ?? 0) + 1;
        transaction.put(table, ['a'], { count });
        return count;
      });
    const answers = await Promise.all(Array.from({ length: 8 }, add));
    assert.deepEqual(table.get('a'), { count: 8 });
    assert.deepEqual(new Set(answers).size, 8);
  });

  it('changes several records as one, and tells each change once', async () => {
    const told: unknown[] = [];
    const table = counts((key, record) => told.push([key, record?.count ?? null]));
    records.load();
    await records.transact((transaction) => {
      transaction.put(table, ['n', 'b'], { count: 2 });
      transaction.put(table, ['n', 'a'], { count: 1 });
    });
    await records.transact((transaction) => {
      transaction.delete(table, ['n', 'a']);
      transaction.delete(table, ['n', 'absent']);
    });
    assert.deepEqual(told, [
      [['n', 'b'], 2],
      [['n', 'a'], 1],
      [['n', 'a'], null],
    ]);
    assert.deepEqual(table.list(), [{ count: 2 }]);
  });

  it('keeps names apart, whatever is in them', async () => {
    const table = counts();
    records.load();
    const name = fc.string({ unit: fc.constantFrom('/', '%', 'a', '.', 'é', ' '), maxLength: 3 });
    const key = fc.tuple(name, name);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { selector: (pair) => JSON.stringify(pair) }),
        async (keys) => {
          await records.transact((transaction) => {
            for (const [i, pair] of keys.entries()) transaction.put(table, pair, { count: i });
          });
          for (const [i, pair] of keys.entries())
            assert.deepEqual(table.get(...pair), { count: i });
          for (const [outer] of keys) {
            const expected = keys.filter(([other]) => other === outer).length;
            assert.equal(table.listUnder(outer).length, expected);
          }
          await records.transact((transaction) => {
            for (const pair of keys) transaction.delete(table, pair);
          });
          assert.deepEqual(table.list(), []);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves out what it cannot read', async () => {
    await harness.engine.meta.txn({
      then: [
        { op: 'put', key: 'counts/bad', value: 'not JSON' },
        { op: 'put', key: 'counts/worse', value: '{}' },
        { op: 'put', key: 'counts/good', value: '{"count":1}' },
      ],
    });
    const table = counts();
    records.load();
    assert.deepEqual(table.list(), [{ count: 1 }]);
  });
});
