import { SeededRandom, randomBelow } from '../../src/base/random.ts';

/** Bytes that exercise different parts of a decompressor; the same in every run. */
export const CONTENTS: Readonly<Record<string, () => Buffer>> = {
  empty: () => Buffer.alloc(0),
  'one byte': () => Buffer.from('a'),
  'a repeated byte': () => Buffer.alloc(300_000, 'z'),
  'random bytes': () => new SeededRandom(1).bytes(300),
  'skewed bytes': () => {
    const random = new SeededRandom(2);
    return Buffer.from(Array.from({ length: 1500 }, () => Math.floor(random.float() ** 6 * 200)));
  },
  'several blocks of few symbols': () => {
    const random = new SeededRandom(3);
    return Buffer.from(
      Array.from({ length: 400_000 }, () => (randomBelow(random, 400) === 0 ? 66 : 65)),
    );
  },
  words: () => {
    const random = new SeededRandom(4);
    const words = Array.from({ length: 40 }, (_, i) => (i * 7919 + 104_729).toString(36));
    return Buffer.from(
      Array.from({ length: 2500 }, () => words[randomBelow(random, 40)]).join(' '),
    );
  },
};
