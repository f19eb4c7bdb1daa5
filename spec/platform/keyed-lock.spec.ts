import { describe, expect, it } from 'vitest';
import { type Held, KeyedLock } from '../../src/platform/keyed-lock.ts';
import { seededRandom } from '../support/test-ports.ts';

describe('KeyedLock', () => {
  it('lets one at a time work on a key, in the order of asking, while other keys go on', async () => {
    const lock = new KeyedLock<string>();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = lock.run('a', async () => {
      seen.push('a1 begins');
      await gate.promise;
      seen.push('a1 ends');
    });
    const second = lock.run('a', async () => void seen.push('a2'));
    const third = lock.run('a', async () => void seen.push('a3'));
    await lock.run('b', async () => void seen.push('b'));
    expect(seen).toEqual(['a1 begins', 'b']);
    expect([lock.isLocked('a'), lock.isLocked('b'), lock.size]).toEqual([true, false, 1]);
    gate.resolve();
    await Promise.all([first, second, third]);
    expect(seen).toEqual(['a1 begins', 'b', 'a1 ends', 'a2', 'a3']);
  });

  it('passes on results and failures, and goes on after a failure', async () => {
    const lock = new KeyedLock<number>();
    const failing = lock.run(1, () => Promise.reject(new Error('no')));
    const throwing = lock.run(1, () => {
      throw new Error('at once');
    });
    const working = lock.run(1, async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    await expect(throwing).rejects.toThrow('at once');
    expect(await working).toBe('yes');
  });

  it('tells those who kept what they held that they no longer hold it', async () => {
    const lock = new KeyedLock<string>();
    let kept: Held<string> | undefined;
    await lock.run('a', async (held) => {
      kept = held;
      expect(held).toMatchObject({ key: 'a', isHeld: true });
    });
    expect(kept?.isHeld).toBe(false);
  });

  it('keeps order and exclusion under a random load, and then no key', async () => {
    const lock = new KeyedLock<number>();
    const random = seededRandom('locks');
    const asked = new Map<number, number[]>();
    const done = new Map<number, number[]>();
    const inside = new Set<number>();
    const push = (map: Map<number, number[]>, key: number, value: number): void => {
      map.set(key, [...(map.get(key) ?? []), value]);
    };
    const runs = Array.from({ length: 2_000 }, (_, serial) => {
      const key = random.int(20);
      const turns = random.int(5);
      push(asked, key, serial);
      return lock.run(key, async () => {
        expect(inside.has(key)).toBe(false);
        inside.add(key);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        inside.delete(key);
        push(done, key, serial);
      });
    });
    await Promise.all(runs);
    expect(done).toEqual(asked);
    expect(lock.size).toBe(0);
  });
});
