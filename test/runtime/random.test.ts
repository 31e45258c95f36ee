/** Bytes and ids that are drawn in stock: each is given out once, and the system is asked as rarely as that allows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIds, createStock, systemRandom, systemSecretBytes } from '../../src/runtime/random.ts';

/** Draws 0, 1, 2 and so on, each in eight bytes, so that every one is known again. */
const counted = () => {
  let next = 0;
  const asked: number[] = [];
  const draw = (count: number): Buffer => {
    asked.push(count);
    return Buffer.concat(Array.from({ length: Math.ceil(count / 8) }, () => eight(next++))).subarray(0, count);
  };
  return { draw, asked };
};
const eight = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

describe('a stock of chance', () => {
  it('gives out as many bytes as asked for, and none twice', () => {
    const counts = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 500, max: 600 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(counts, eights => {
        const stock = createStock(counted().draw);
        const seen = new Set<bigint>();
        for (const each of eights) {
          const bytes = stock(each * 8);
          expect(bytes.length).toBe(each * 8);
          for (let at = 0; at < bytes.length; at += 8) seen.add(bytes.readBigUInt64BE(at));
        }
        expect(seen.size).toBe(eights.reduce((sum, each) => sum + each, 0));
      }),
    );
  });

  it('asks once for many', () => {
    const { draw, asked } = counted();
    const stock = createStock(draw);
    for (let taken = 0; taken < 256; taken += 1) stock(16);
    expect(asked).toEqual([4096]);
    stock(16);
    expect(asked).toEqual([4096, 4096]);
    stock(4097);
    expect(asked).toEqual([4096, 4096, 4097]);
  });

  it('is never the same', () => {
    const drawn = Array.from({ length: 1000 }, () => systemSecretBytes(16).toString('hex'));
    expect(new Set(drawn).size).toBe(1000);
    const ids = Array.from({ length: 1000 }, () => systemRandom.id());
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});

describe('ids', () => {
  it('are 16 bytes each, none comes twice, and the system is asked once for many', () => {
    const { draw, asked } = counted();
    const newId = createIds(draw);
    const ids = Array.from({ length: 300 }, newId);
    expect(new Set(ids).size).toBe(300);
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(Buffer.from(id, 'base64url')).toHaveLength(16);
    }
    expect(asked).toEqual([4096, 4096]);
  });

  it('have all the chance of their 128 bits', () => {
    const ors = Buffer.alloc(16);
    const ands = Buffer.alloc(16, 0xff);
    for (let i = 0; i < 200; i += 1) {
      for (const [at, byte] of Buffer.from(systemRandom.id(), 'base64url').entries()) {
        ors[at] = (ors[at] ?? 0) | byte;
        ands[at] = (ands[at] ?? 0) & byte;
      }
    }
    expect(ors).toEqual(Buffer.alloc(16, 0xff));
    expect(ands).toEqual(Buffer.alloc(16));
  });
});
