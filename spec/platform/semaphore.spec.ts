import { describe, expect, it } from 'vitest';
import { Semaphore, SemaphoreFull } from '../../src/platform/semaphore.ts';

describe('Semaphore', () => {
  it('runs as many at once as it may, the others in the order of asking', async () => {
    const semaphore = new Semaphore(2, 10);
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const runs = gates.map((gate, index) =>
      semaphore.run(async () => {
        begun.push(index);
        await gate.promise;
        return index;
      }),
    );
    expect([begun, semaphore.running, semaphore.waiting]).toEqual([[0, 1], 2, 2]);
    gates[1]?.resolve();
    expect(await runs[1]).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    expect(await Promise.all(runs)).toEqual([0, 1, 2, 3]);
    expect([semaphore.running, semaphore.waiting]).toEqual([0, 0]);
  });

  it('refuses when too many wait, and frees a place after a failure', async () => {
    const semaphore = new Semaphore(1, 1);
    const gate = Promise.withResolvers<void>();
    const failing = semaphore.run(() => gate.promise);
    const waiting = semaphore.run(async () => 'in turn');
    await expect(semaphore.run(async () => 'refused')).rejects.toThrow(SemaphoreFull);
    gate.reject(new Error('failed'));
    await expect(failing).rejects.toThrow('failed');
    expect(await waiting).toBe('in turn');
    expect(semaphore.running).toBe(0);
  });

  it('forgets who no longer wants to wait', async () => {
    const semaphore = new Semaphore(1, 5);
    const gate = Promise.withResolvers<void>();
    const first = semaphore.run(() => gate.promise);
    const caller = new AbortController();
    const given = semaphore.run(async () => 'never', caller.signal);
    const last = semaphore.run(async () => 'last');
    caller.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    await expect(semaphore.run(async () => 'never', caller.signal)).rejects.toThrow('gone');
    gate.resolve();
    await first;
    expect(await last).toBe('last');
    expect([semaphore.running, semaphore.waiting]).toEqual([0, 0]);
  });
});
