import { expect, it } from 'vitest';
import { SemaphoreFull } from '../../src/platform/semaphore.ts';
import { TurnsOfCallers } from '../../src/platform/turns-of-callers.ts';

it('one caller’s tasks wait for each other and for nobody else’s, and nothing is kept of those who have gone', async () => {
  const turns = new TurnsOfCallers(1, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen: string[] = [];
  const task = (name: string) => async (): Promise<void> => {
    seen.push(name);
    await promise;
  };
  const first = turns.run('alice', task('first'));
  const second = turns.run('alice', task('second'));
  await expect(turns.run('alice', task('third'))).rejects.toThrow(SemaphoreFull);
  const other = turns.run('bob', task('other'));
  expect(seen).toEqual(['first', 'other']);
  expect(turns.size).toBe(2);
  resolve();
  await Promise.all([first, second, other]);
  expect(seen).toEqual(['first', 'other', 'second']);
  await expect(turns.run('bob', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(turns.size).toBe(0);
});
