import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lru } from '../../src/platform/lru.ts';

describe('Lru', () => {
  it('gives up what was not used for longest', () => {
    const evicted: string[] = [];
    const lru = new Lru<string, number>({ sizeMax: 2, onEvicted: (key, value) => evicted.push(`${key}=${value}`) });
    lru.set('a', 1);
    lru.set('b', 2);
    expect(lru.find('a')).toBe(1);
    lru.set('c', 3);
    expect(evicted).toEqual(['b=2']);
    expect([lru.find('a'), lru.find('b'), lru.find('c')]).toEqual([1, undefined, 3]);
    expect(lru.has('a')).toBe(true);
    lru.set('d', 4);
    expect(lru.has('a')).toBe(false);
  });

  it('is bounded by size, and keeps nothing that is larger than everything', () => {
    const lru = new Lru<string, string>({ sizeMax: 10, sizeOf: (value) => value.length });
    lru.set('a', 'xxxx');
    lru.set('b', 'xxxx');
    lru.set('c', 'xxxxxx');
    expect([lru.has('a'), lru.has('b'), lru.has('c'), lru.size]).toEqual([false, true, true, 10]);
    lru.set('b', 'x'.repeat(11));
    expect([lru.has('b'), lru.has('c'), lru.size]).toEqual([false, true, 6]);
    lru.set('c', 'x');
    expect(lru.size).toBe(1);
    lru.clear();
    expect([lru.count, lru.size]).toEqual([0, 0]);
  });

  it('does as a plain list does, whatever is asked of it', () => {
    const command = fc.record({ kind: fc.constantFrom('set', 'find', 'delete'), key: fc.nat(6), size: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (commands, sizeMax) => {
        const lru = new Lru<number, number>({ sizeMax, sizeOf: (size) => size });
        let model: [number, number][] = [];
        for (const { kind, key, size } of commands) {
          const found = model.find(([known]) => known === key);
          if (kind === 'delete') expect(lru.delete(key)).toBe(found !== undefined);
          else if (kind === 'find') expect(lru.find(key)).toBe(found?.[1]);
          else lru.set(key, size);
          const rest = model.filter(([known]) => known !== key);
          if (kind === 'delete') model = rest;
          else if (kind === 'find') model = found === undefined ? model : [...rest, found];
          else model = size > sizeMax ? rest : [...rest, [key, size]];
          while (model.reduce((sum, [, each]) => sum + each, 0) > sizeMax) model.shift();
          expect(lru.count).toBe(model.length);
          expect(lru.size).toBe(model.reduce((sum, [, each]) => sum + each, 0));
        }
        for (const [key, size] of model) expect(lru.find(key)).toBe(size);
      }),
    );
  });
});
