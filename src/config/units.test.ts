import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatBytes, formatDuration, parseBytes, parseDuration, parseRatio } from './units.ts';

test('sizes have binary and decimal units, and ambiguous ones are refused', () => {
  assert.equal(parseBytes('512'), 512);
  assert.equal(parseBytes('10MiB'), 10 * 1024 * 1024);
  assert.equal(parseBytes('10 MB'), 10_000_000);
  assert.equal(parseBytes('1.5GiB'), 1.5 * 2 ** 30);
  assert.equal(parseBytes('1_000_000'), 1_000_000);
  assert.equal(parseBytes('64Ki'), 65536);
  for (const bad of ['10M', '', 'MiB', '-1', '1e3', '10 MiB x', '99999999999TiB']) {
    assert.equal(parseBytes(bad), null, bad);
  }
});

test('durations add up; a bare number is milliseconds', () => {
  assert.equal(parseDuration('1500'), 1500);
  assert.equal(parseDuration('250ms'), 250);
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('7d'), 604_800_000);
  assert.equal(parseDuration('0.5s'), 500);
  for (const bad of ['', '7', 'd7', '7 days', '-5s', '5s3']) {
    assert.equal(parseDuration(bad), bad === '7' ? 7 : null, bad);
  }
});

test('shares are percent or fractions up to one', () => {
  assert.equal(parseRatio('75%'), 0.75);
  assert.equal(parseRatio('0.8'), 0.8);
  assert.equal(parseRatio('101%'), null);
  assert.equal(parseRatio('80'), null);
});

test('formatted sizes and durations read back to nearly the same value', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 45 }), (value) => {
      const bytes = parseBytes(formatBytes(value));
      assert.ok(bytes !== null && Math.abs(bytes - value) <= value * 0.006, formatBytes(value));
      const ms = parseDuration(formatDuration(value));
      assert.ok(ms !== null && Math.abs(ms - value) <= value * 0.05 + 1, formatDuration(value));
    }),
  );
  assert.equal(formatBytes(10 * 2 ** 20), '10MiB');
  assert.equal(formatDuration(5_400_000), '1h30m');
  assert.equal(formatDuration(Infinity), 'unlimited');
});
