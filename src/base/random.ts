import { randomFillSync } from 'node:crypto';

/** Randomness as a port, so that a seeded run can be repeated exactly. */
export interface Random {
  /** An integer in [0, 2^32). */
  uint32(): number;
  /** A number in [0, 1). */
  float(): number;
  /** size fresh random bytes. */
  bytes(size: number): Buffer;
}

/** Randomness of the operating system. */
export class SystemRandom implements Random {
  uint32(): number {
    return randomFillSync(new Uint32Array(1))[0] ?? 0;
  }

  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  bytes(size: number): Buffer {
    return randomFillSync(Buffer.allocUnsafe(size));
  }
}

/** A repeatable generator (sfc32, public domain design by Chris Doty-Humphrey), for tests and simulation. */
export class SeededRandom implements Random {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  constructor(seed: number) {
    this.a = 0;
    this.b = seed | 0;
    this.c = (seed / 0x1_0000_0000) | 0;
    this.counter = 1;
    for (let round = 0; round < 12; round++) this.uint32();
  }

  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  bytes(size: number): Buffer {
    const out = Buffer.allocUnsafe(size);
    for (let i = 0; i < size; i++) out[i] = this.uint32() & 0xff;
    return out;
  }
}

/** An integer in [0, limit); limit is a positive safe integer. */
export function randomBelow(random: Random, limit: number): number {
  return Math.floor(random.float() * limit);
}

/** A random (version 4) UUID as 16 bytes. */
export function randomUuid(random: Random): Buffer {
  const uuid = random.bytes(16);
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x40;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  return uuid;
}
